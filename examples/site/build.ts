/**
 * Makes the files of examples/web ready for a browser: types stripped from the TypeScript, bare imports
 * pointed at files. There is no bundler in it, so what the browser runs reads like the source.
 */
import { stripTypeScriptTypes } from "node:module";

/** One file of the site. */
export interface SiteFile {
  /** Its MIME type. */
  type: string;
  body: Uint8Array<ArrayBuffer>;
}

const ROOT = new URL("../../", import.meta.url);
const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  wasm: "application/wasm",
};

/** Bare imports: where the site has them, and the files that they need. */
const PACKAGES: Record<string, string> = {
  "@ganforge/ganforge/sampler": "src/sampler/mod.js",
  "onnxruntime-web/wasm": "ort/ort.wasm.bundle.min.mjs",
  "onnxruntime-web/webgpu": "ort/ort.webgpu.bundle.min.mjs",
};
const RUNTIME_FILES = [
  "ort.wasm.bundle.min.mjs",
  "ort-wasm-simd-threaded.wasm",
  "ort.webgpu.bundle.min.mjs",
  "ort-wasm-simd-threaded.asyncify.wasm",
];

/** The name under which a site has the model that it was made for. */
export const OWN_MODEL = "generator.onnx";

/**
 * The site's files by their path, such as `index.html` or `src/sampler/mod.js`.
 * @param hasModel whether there is an {@linkcode OWN_MODEL} for the page to open by itself
 */
export async function buildSite(hasModel: boolean): Promise<Map<string, SiteFile>> {
  const site = new Map<string, SiteFile>();
  const add = (path: string, body: Uint8Array<ArrayBuffer>) => {
    site.set(path, { type: TYPES[path.slice(path.lastIndexOf(".") + 1)], body });
  };
  const page = await Deno.readTextFile(new URL("examples/web/index.html", ROOT));
  const body = hasModel ? `<body data-model="${OWN_MODEL}">` : "<body>";
  add("index.html", encode(page.replace('src="main.ts"', 'src="main.js"').replace("<body>", body)));
  for (const name of ["style.css", "icon.svg"]) {
    add(name, await Deno.readFile(new URL(`examples/web/${name}`, ROOT)));
  }
  const waiting = [new URL("examples/web/main.ts", ROOT), new URL("src/sampler/mod.ts", ROOT)];
  for (const module of waiting) {
    const path = sitePath(module);
    if (site.has(path)) continue;
    const { code, imports } = toBrowserModule(await Deno.readTextFile(module), path);
    add(path, encode(code));
    waiting.push(...imports.map((specifier) => new URL(specifier, module)));
  }
  const runtime = import.meta.resolve("onnxruntime-web/wasm");
  for (const name of RUNTIME_FILES) {
    add(`ort/${name}`, await Deno.readFile(new URL(name, runtime)));
  }
  return site;
}

/** `examples/web/x.ts` lies at the top of the site, `src/y.ts` at `src/y.js`. */
function sitePath(module: URL): string {
  return module.href.slice(ROOT.href.length).replace("examples/web/", "").replace(/\.ts$/, ".js");
}

/** A module's JavaScript with imports for the browser, and its relative imports as they were. */
function toBrowserModule(source: string, path: string): { code: string; imports: string[] } {
  const imports: string[] = [];
  const up = "../".repeat(path.split("/").length - 1) || "./";
  const code = stripTypeScriptTypes(source).replaceAll(
    /(\bfrom |\bimport (?=")|\bimport\()"([^"\n]+)"/g,
    (whole, keyword: string, specifier: string) => {
      if (specifier in PACKAGES) return `${keyword}"${up}${PACKAGES[specifier]}"`;
      if (!specifier.startsWith(".")) return whole; // behind a check that is false in a page
      imports.push(specifier);
      return `${keyword}"${specifier.replace(/\.ts$/, ".js")}"`;
    },
  );
  return { code: code.replaceAll('new URL("onnxruntime-web/', `new URL("${up}ort/`), imports };
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
