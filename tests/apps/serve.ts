/** Serves files on the loopback: with a careful app's headers, or over a slow network. */
import { buildSite, type SiteFile } from "../../examples/site/build.ts";

const TYPES: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  json: "application/json",
  wasm: "application/wasm",
};

/** No inline script and no `eval`: WebAssembly alone may compile. */
export const STRICT_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; " +
  "worker-src 'self'; connect-src 'self'; img-src 'self'; style-src 'self'";

/** What makes a page cross-origin isolated, and so allows threads. */
export const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** How to serve. */
export interface ServeSettings {
  headers?: Record<string, string>;
  /** How fast bodies are sent; at once where there is none. */
  bytesPerSecond?: number;
  /** Called with the path of a body that nobody wanted to its end. */
  onCancel?: (path: string) => void;
}

type Server = Deno.HttpServer<Deno.NetAddr>;

/** Serves the files of a folder. */
export function serveFolder(folder: string, headers: Record<string, string>): Server {
  const read = async (path: string) => {
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    const body = await Deno.readFile(`${folder}/${path}`).catch(() => undefined);
    return body && { type, body };
  };
  return serve(read, { headers });
}

/** Serves files that are in memory. */
export function serveFiles(files: ReadonlyMap<string, SiteFile>, settings: ServeSettings): Server {
  return serve((path) => Promise.resolve(files.get(path)), settings);
}

function serve(
  read: (path: string) => Promise<SiteFile | undefined>,
  { headers = {}, bytesPerSecond, onCancel }: ServeSettings,
): Server {
  const settings = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  return Deno.serve(settings, async (request) => {
    const path = new URL(request.url).pathname.slice(1) || "index.html";
    const file = await read(path);
    if (file === undefined) return new Response(`There is no ${path}\n`, { status: 404, headers });
    const { type, body } = file;
    const all = { ...headers, "content-type": type, "content-length": `${body.length}` };
    if (bytesPerSecond === undefined) return new Response(body, { headers: all });
    const cancelled = () => onCancel?.(path);
    return new Response(slowly(body, bytesPerSecond, cancelled), { headers: all });
  });
}

/** Sends bytes at a rate, in ten parts a second. */
function slowly(
  bytes: Uint8Array<ArrayBuffer>,
  bytesPerSecond: number,
  cancel: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const end = Math.min(bytes.length, sent + Math.ceil(bytesPerSecond / 10));
      controller.enqueue(bytes.subarray(sent, end));
      sent = end;
      if (sent === bytes.length) controller.close();
    },
    cancel,
  });
}

/**
 * The files of a page that runs a module with `Sampler` from the sources, and whose `globalThis.seen` is what
 * the module's default function gives.
 * @param module the module, with `Sampler` as the parameter of its default function
 * @param files what the page loads, by name
 * @param options.before a script that runs before `Sampler` is imported
 */
export async function pageFiles(
  module: string,
  files: Iterable<[name: string, bytes: Uint8Array<ArrayBuffer>]>,
  { before = "" }: { before?: string } = {},
): Promise<Map<string, SiteFile>> {
  const site = await buildSite(false);
  const add = (path: string, type: string, text: string) =>
    site.set(path, { type, body: new TextEncoder().encode(text) });
  add("index.html", "text/html", '<!DOCTYPE html><script type="module" src="page.js"></script>');
  add("before.js", "text/javascript", before);
  add("visit.js", "text/javascript", module);
  add(
    "page.js",
    "text/javascript",
    `import "./before.js";
     import { Sampler } from "./src/sampler/mod.js";
     import visit from "./visit.js";
     globalThis.seen = await visit(Sampler).catch((error) => ({ error: String(error) }));`,
  );
  for (const [name, body] of files) site.set(name, { type: "application/octet-stream", body });
  return site;
}
