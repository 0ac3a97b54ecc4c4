/**
 * Pages that make a load hard: policies that forbid workers or WebAssembly, a model of another origin, a
 * load that is stopped, threads without isolation. Every browser ends each load, and says what is wrong.
 */
import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { BROWSERS, testName } from "./browsers/browsers.ts";
import { ISOLATION, pageFiles, serveFiles, STRICT_POLICY } from "./serve.ts";

const model = await Deno.readFile(new URL("../../fixtures/sampler/rgb.onnx", import.meta.url));

/** A module for a page that loads with some options and tells what came of it. */
const loads = (options: string, address = '"rgb.onnx"') => `
  export default async function (Sampler) {
    try {
      const sampler = await Sampler.load(${address}, { device: "wasm", ...${options} });
      const [image] = await sampler.sample({ seed: 7 });
      return { ...sampler.device, first: image.values[0] };
    } catch (error) {
      return { name: error.name, message: error.message };
    }
  }`;

/** A module for a page that stops a load while ONNX Runtime arrives, and loads again. */
const STOPS = `
  export default async function (Sampler) {
    const stopper = new AbortController();
    const reason = new Error("no longer wanted");
    const stages = [];
    const stopped = await Sampler.load("rgb.onnx", {
      device: "wasm",
      signal: stopper.signal,
      onProgress: ({ stage, loadedBytes }) => {
        stages.push(stage);
        if (stage === "runtime" && loadedBytes > 0) stopper.abort(reason);
      },
    }).catch((error) => error === reason);
    const again = await Sampler.load("rgb.onnx", { device: "wasm" });
    return { stopped, last: stages.at(-1), name: again.device.name };
  }`;

/**
 * Takes away what came to browsers after Chrome 120, Firefox 115 and Safari 17, the oldest ones that
 * docs/embedding.md names.
 */
const OLD_BROWSER = `
  const gone = {
    "": ["Iterator", "Float16Array", "DisposableStack", "AsyncDisposableStack", "SuppressedError"],
    Promise: ["withResolvers", "try"],
    Array: ["fromAsync"],
    Object: ["groupBy"],
    Map: ["groupBy"],
    Math: ["f16round", "sumPrecise"],
    RegExp: ["escape"],
    Error: ["isError"],
    URL: ["parse"],
    Symbol: ["dispose", "asyncDispose"],
    AbortSignal: ["any"],
    ReadableStream: ["from"],
    Atomics: ["waitAsync", "pause"],
    Uint8Array: ["fromBase64", "fromHex"],
    WebAssembly: ["Suspending", "promising", "JSTag"],
    "Set.prototype": ["union", "intersection", "difference", "isSubsetOf", "isDisjointFrom"],
    "Map.prototype": ["getOrInsert", "getOrInsertComputed"],
    "String.prototype": ["isWellFormed", "toWellFormed"],
    "ArrayBuffer.prototype": ["transfer", "transferToFixedLength", "resize"],
    "Uint8Array.prototype": ["toBase64", "toHex", "setFromBase64"],
    "Response.prototype": ["bytes"],
    "Blob.prototype": ["bytes"],
  };
  let removed = 0;
  for (const [place, names] of Object.entries(gone)) {
    const owner = place.split(".").filter(Boolean).reduce((at, key) => at?.[key], globalThis);
    for (const name of names) {
      if (owner?.[name] === undefined) continue;
      // Those of Symbol cannot be deleted: a stand-in without them takes its place.
      if (owner === Symbol) continue;
      if (!delete owner[name]) throw new Error("cannot remove " + place + "." + name);
      removed++;
    }
  }
  const own = Object.getOwnPropertyNames(Symbol).filter((name) => !gone.Symbol.includes(name));
  const stand = function (text) { return native(text); };
  const native = Symbol;
  for (const name of own) {
    if (["length", "name", "prototype"].includes(name)) continue;
    Object.defineProperty(stand, name, Object.getOwnPropertyDescriptor(native, name));
  }
  stand.prototype = native.prototype;
  globalThis.Symbol = stand;
  globalThis.removed = removed;
`;

/** What a page's visit should say. */
interface Case {
  name: string;
  module: string;
  /** A script that runs first. */
  before?: string;
  headers: Record<string, string>;
  check(seen: Record<string, unknown>): void;
}

const policy = (text: string) => ({ "content-security-policy": text });

/** @param elsewhere the address of the model on a server that sends no CORS headers */
const cases = (elsewhere: string): Case[] => [
  {
    name: "a policy that forbids workers leaves one thread",
    module: loads("{ threads: 2 }"),
    headers: {
      ...ISOLATION,
      ...policy(STRICT_POLICY.replace("worker-src 'self'", "worker-src 'none'")),
    },
    check({ name, threads, fallback }) {
      assertEquals([name, threads], ["wasm", 1]);
      assertMatch(`${fallback}`, /^1 instead of 2 threads: its threads cannot start: /);
    },
  },
  {
    name: "a policy that forbids WebAssembly ends the load with one line",
    module: loads("{}"),
    headers: policy(STRICT_POLICY.replace(" 'wasm-unsafe-eval'", "")),
    check({ name, message }) {
      assertEquals(name, "UserError");
      assertMatch(
        `${message}`,
        /^Cannot start ONNX Runtime: WebAssembly is forbidden here; add 'wasm-unsafe-eval' to script-src/,
      );
    },
  },
  {
    name: "threads without isolation become one",
    module: loads("{ threads: 2 }"),
    headers: policy(STRICT_POLICY),
    check({ threads, fallback }) {
      assertEquals(threads, 1);
      assertEquals(
        fallback,
        "1 instead of 2 threads: threads take a cross-origin isolated page",
      );
    },
  },
  {
    name: "a model of another origin without CORS is named",
    module: loads("{}", JSON.stringify(elsewhere)),
    headers: {
      ...ISOLATION,
      ...policy(STRICT_POLICY.replace("connect-src 'self'", "connect-src *")),
    },
    check({ name, message }) {
      assertEquals(name, "DownloadError");
      assertMatch(`${message}`, /^Cannot load http:.*\/rgb\.onnx: it could not be fetched \(/);
    },
  },
  {
    name: "WebGPU by default falls back to wasm under a strict policy",
    module: loads('{ device: "auto" }'),
    headers: { ...ISOLATION, ...policy(STRICT_POLICY) },
    check({ name, fallback }) {
      assertEquals(name, "wasm");
      assertMatch(`${fallback}`, /WebGPU/);
    },
  },
  {
    name: "the oldest browsers have all that it uses",
    before: OLD_BROWSER,
    module: `const load = ${loads("{ threads: 2, selfTest: true }").replace("export default", "")};
      export default async (Sampler) => ({
        ...await load(Sampler), removed, symbols: typeof Symbol.asyncDispose,
      });`,
    headers: { ...ISOLATION, ...policy(STRICT_POLICY) },
    check({ name, threads, message, removed, symbols }) {
      assertEquals([name, threads, message], ["wasm", 2, undefined]);
      assertGreater(Number(removed), 10);
      assertEquals(symbols, "undefined");
    },
  },
  {
    name: "a load that is stopped lets the next one through",
    module: STOPS,
    headers: { ...ISOLATION, ...policy(STRICT_POLICY) },
    check(seen) {
      assertEquals(seen, { stopped: true, last: "runtime", name: "wasm" });
    },
  },
];

for (const { name, missing, visit } of BROWSERS) {
  Deno.test({
    name: testName(`Sampler.load() ends in ${name}, however hostile the page`, missing),
    ignore: missing !== null,
    async fn(t) {
      const other = serveFiles(await pageFiles("", [["rgb.onnx", model]]), {});
      const pages = await Promise.all(
        cases(`http://127.0.0.1:${other.addr.port}/rgb.onnx`).map(async (each) => {
          const files = await pageFiles(each.module, [["rgb.onnx", model]], each);
          return { ...each, server: serveFiles(files, { headers: each.headers }) };
        }),
      );
      try {
        const results = await visit(pages.map(({ server }) => ({
          url: `http://127.0.0.1:${server.addr.port}/`,
          read: "globalThis.seen",
          timeoutMs: 60_000,
        })));
        for (const [index, { name, check }] of pages.entries()) {
          await t.step(name, () => {
            const { seen, messages } = results[index];
            if (seen === null) throw new Error(`no end: ${messages.join("; ")}`);
            check(seen as Record<string, unknown>);
          });
        }
      } finally {
        await Promise.all([other, ...pages.map(({ server }) => server)].map((s) => s.shutdown()));
      }
    },
  });
}
