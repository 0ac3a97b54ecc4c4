/**
 * What the project's pages share: modules made ready for a browser, and who may read them. Types are stripped
 * from the TypeScript and bare imports pointed at files. There is no bundler in it, so what the browser runs
 * reads like the source.
 */
import { stripTypeScriptTypes } from "node:module";

/** One file of a site. */
export interface SiteFile {
  /** Its MIME type. */
  type: string;
  body: Uint8Array<ArrayBuffer>;
}

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  wasm: "application/wasm",
};

/** Where the site has ONNX Runtime's files, and the bare imports that lead there. */
const RUNTIME_FOLDER = "ort";
const RUNTIME_FILES = [
  "ort.wasm.bundle.min.mjs",
  "ort-wasm-simd-threaded.wasm",
  "ort.webgpu.bundle.min.mjs",
  "ort-wasm-simd-threaded.asyncify.wasm",
];

/** Bare imports that every site has. */
const PACKAGES: Record<string, string> = {
  "@ganforge/ganforge/sampler": "src/sampler/mod.js",
  "onnxruntime-web/wasm": `${RUNTIME_FOLDER}/ort.wasm.bundle.min.mjs`,
  "onnxruntime-web/webgpu": `${RUNTIME_FOLDER}/ort.webgpu.bundle.min.mjs`,
};

/** A file of a site, its type by its name. */
export function siteFile(path: string, body: Uint8Array<ArrayBuffer> | string): SiteFile {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return { type: TYPES[path.slice(path.lastIndexOf(".") + 1)], body: bytes };
}

/**
 * Whether a request was meant for this machine. A page of another site can point a name of its own at
 * 127.0.0.1 ("DNS rebinding") and so read what is served here; its requests carry that name.
 */
export function isForLoopback(request: Request): boolean {
  const host = request.headers.get("host") ?? "";
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(host);
}

/** What a site is made of. */
export interface SitePlan {
  /** The project's root; modules lie below it. */
  root: URL;
  /** The folder of the page below it, such as `examples/web/`, which is the site's top. */
  page: string;
  /** Modules to start from. */
  entries: URL[];
  /** Further bare imports, and where the site has them. */
  packages?: Record<string, string>;
}

/** The modules that some need, with ONNX Runtime's files, by their path in the site. */
export async function browserModules(plan: SitePlan): Promise<Map<string, SiteFile>> {
  const site = new Map<string, SiteFile>();
  const waiting = [...plan.entries];
  for (const module of waiting) {
    const path = sitePath(module, plan);
    if (site.has(path)) continue;
    const { code, imports } = toBrowserModule(await Deno.readTextFile(module), path, plan);
    site.set(path, siteFile(path, code));
    waiting.push(...imports.map((specifier) => new URL(specifier, module)));
  }
  const runtime = import.meta.resolve("onnxruntime-web/wasm");
  for (const name of RUNTIME_FILES) {
    const path = `${RUNTIME_FOLDER}/${name}`;
    site.set(path, siteFile(path, await Deno.readFile(new URL(name, runtime))));
  }
  return site;
}

/** `examples/web/x.ts` lies at the top of the site, `src/y.ts` at `src/y.js`. */
function sitePath(module: URL, { root, page }: SitePlan): string {
  return module.href.slice(root.href.length).replace(page, "").replace(/\.ts$/, ".js");
}

/** A module's JavaScript with imports for the browser, and its relative imports as they were. */
function toBrowserModule(
  source: string,
  path: string,
  { packages }: SitePlan,
): { code: string; imports: string[] } {
  const imports: string[] = [];
  const known: Record<string, string> = { ...PACKAGES, ...packages };
  const up = "../".repeat(path.split("/").length - 1) || "./";
  const code = stripTypeScriptTypes(source).replaceAll(
    /(\bfrom |\bimport (?=")|\bimport\()"([^"\n]+)"/g,
    (whole, keyword: string, specifier: string) => {
      if (Object.hasOwn(known, specifier)) return `${keyword}"${up}${known[specifier]}"`;
      if (!specifier.startsWith(".")) return whole; // behind a check that is false in a page
      imports.push(specifier);
      return `${keyword}"${specifier.replace(/\.ts$/, ".js")}"`;
    },
  );
  return { code: code.replaceAll('new URL("onnxruntime-web/', `new URL("${up}ort/`), imports };
}
