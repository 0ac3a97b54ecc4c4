/** Serves a site on the loopback, with the headers that a careful app sends. */
import { isForLoopback } from "../../src/site.ts";
import type { SiteFile } from "./build.ts";

/** How to serve. */
export interface ServeOptions {
  /** 0 for any free one. */
  port: number;
  /** Send COOP and COEP, which make the page cross-origin isolated and so allow threads. */
  isolated: boolean;
  /** Files that are read at each request: their path in the site to their path on disk. */
  files?: ReadonlyMap<string, string>;
}

/**
 * No inline script or style and no `eval`: WebAssembly alone may compile. `connect-src https:` lets a
 * person load a model from another site.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self' https:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Starts to serve. */
export function serveSite(
  site: Map<string, SiteFile>,
  options: ServeOptions,
): Deno.HttpServer<Deno.NetAddr> {
  const headers = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
    ...(options.isolated
      ? {
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      }
      : {}),
  };
  return Deno.serve(
    { hostname: "127.0.0.1", port: options.port, onListen: () => {} },
    async (request) => {
      if (!isForLoopback(request)) {
        return new Response("This server answers only 127.0.0.1 and localhost\n", { status: 403 });
      }
      if (request.method !== "GET" && request.method !== "HEAD") {
        return new Response("Only GET and HEAD are answered\n", { status: 405, headers });
      }
      const path = pathOf(request) || "index.html";
      const onDisk = options.files?.get(path);
      const file = onDisk === undefined
        ? site.get(path)
        : { type: "application/octet-stream", body: await Deno.readFile(onDisk) };
      if (file === undefined) {
        return new Response(`There is no ${path} here\n`, { status: 404, headers });
      }
      return new Response(request.method === "HEAD" ? null : file.body, {
        headers: { ...headers, "content-type": file.type, "content-length": `${file.body.length}` },
      });
    },
  );
}

/** The path of a request from the site's root, decoded where it can be. */
function pathOf(request: Request): string {
  const path = new URL(request.url).pathname.slice(1);
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // "%" and no two digits: a name that no file has
  }
}
