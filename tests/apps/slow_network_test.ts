/** Loads over a slow network: their progress, their totals, their time, and their end. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { type LoadProgress, Sampler } from "../../src/sampler/mod.ts";
import { BROWSERS, testName } from "./browsers/browsers.ts";
import { ISOLATION, pageFiles, serveFiles } from "./serve.ts";

/** What the server sends; `SLOW_NETWORK=1e6` in the environment is a slow mobile network. */
const BYTES_PER_SECOND = Number(Deno.env.get("SLOW_NETWORK") ?? 5e6);

const WASM = "ort/ort-wasm-simd-threaded.wasm";
const model = await Deno.readFile(new URL("../../fixtures/sampler/rgb.onnx", import.meta.url));

/** A load that is stopped when a third of ONNX Runtime is here, and one that goes through. */
interface Seen {
  /** Whether the first load ended with the signal's reason. */
  stopped: boolean;
  /** Milliseconds from the signal to the end of the load. */
  stopMs: number;
  progress: LoadProgress[];
  loadMs: number;
}

/** Runs here as well as in a page, which gets its source. */
async function loadSlowly(
  sampler: Pick<typeof Sampler, "load">,
  source = "rgb.onnx",
  options = {},
): Promise<Seen> {
  const stopper = new AbortController();
  const reason = new Error("no longer wanted");
  let stoppedAt = 0;
  const stopped = await sampler.load(source, {
    device: "wasm",
    ...options,
    signal: stopper.signal,
    onProgress: ({ stage, loadedBytes, totalBytes }) => {
      if (stage !== "runtime" || loadedBytes < totalBytes! / 3 || stoppedAt > 0) return;
      stoppedAt = performance.now();
      stopper.abort(reason);
    },
  }).then(() => false, (error) => error === reason);
  const stopMs = performance.now() - stoppedAt;
  const progress: LoadProgress[] = [];
  const started = performance.now();
  const loaded = await sampler.load(source, {
    device: "wasm",
    ...options,
    onProgress: (now) => progress.push({ ...now }),
  });
  const loadMs = performance.now() - started;
  await loaded.dispose();
  return { stopped, stopMs, progress, loadMs };
}

/** The files of a page, without its script. */
const files = await pageFiles("", [["rgb.onnx", model]]);
const wasmBytes = files.get(WASM)!.body.length;

/** A server that sends the large file slowly. */
function serveSlowly(cancelled: string[]) {
  const large = new Map([[WASM, files.get(WASM)!]]);
  return serveFiles(large, {
    headers: {
      ...ISOLATION,
      "access-control-allow-origin": "*",
      "cross-origin-resource-policy": "cross-origin",
    },
    bytesPerSecond: BYTES_PER_SECOND,
    onCancel: (path) => cancelled.push(path),
  });
}

function check(seen: Seen, cancelled: string[], where: string): void {
  assert(seen.stopped, "the load that was stopped did not end with the signal's reason");
  assert(seen.stopMs < 2000, `${seen.stopMs} ms from the signal to the end of the load`);
  assertEquals(cancelled, [WASM]); // the server was told, and sent no more
  const stages = seen.progress.map(({ stage }) => stage);
  assertEquals([...new Set(stages)], ["model", "runtime", "start", "ready"]);
  const runtime = seen.progress.filter(({ stage }) => stage === "runtime");
  assertGreater(runtime.length, 10);
  for (const [index, { loadedBytes, totalBytes }] of runtime.entries()) {
    assertEquals(totalBytes, wasmBytes);
    assert(index === 0 || loadedBytes >= runtime[index - 1].loadedBytes);
  }
  assertEquals(runtime.at(-1)!.loadedBytes, wasmBytes);
  const [first, last] = [seen.progress[0], seen.progress.at(-1)!];
  assertEquals([first.stage, last.stage], ["model", "ready"]);
  assertEquals([last.loadedBytes, last.totalBytes], [model.length, model.length]);
  const idealMs = wasmBytes / BYTES_PER_SECOND * 1000;
  assertGreater(seen.loadMs, 0.9 * idealMs);
  console.log(
    `${where}: ${wasmBytes} bytes at ${BYTES_PER_SECOND} bytes/s take ${
      idealMs.toFixed(0)
    } ms; loaded in ` +
      `${seen.loadMs.toFixed(0)} ms, ${runtime.length} progress events, stopped in ${
        seen.stopMs.toFixed(0)
      } ms`,
  );
}

Deno.test("Sampler.load() over a slow network tells its progress and stops at once in Deno", async () => {
  const cancelled: string[] = [];
  const server = serveSlowly(cancelled);
  try {
    const wasm = `http://127.0.0.1:${server.addr.port}/${WASM}`;
    const path = new URL("../../fixtures/sampler/rgb.onnx", import.meta.url).pathname;
    check(await loadSlowly(Sampler, path, { wasm }), cancelled, "Deno");
  } finally {
    await server.shutdown();
  }
});

for (const { name, missing, visit } of BROWSERS) {
  Deno.test({
    name: testName(
      `Sampler.load() over a slow network tells its progress and stops at once in ${name}`,
      missing,
    ),
    ignore: missing !== null,
    async fn() {
      const cancelled: string[] = [];
      const slow = serveSlowly(cancelled);
      const address = `http://127.0.0.1:${slow.addr.port}/${WASM}`;
      const page = new Map(files);
      page.set("visit.js", {
        type: "text/javascript",
        body: new TextEncoder().encode(
          `const load = ${loadSlowly};
           export default (Sampler) => load(Sampler, "rgb.onnx", { wasm: "${address}" });`,
        ),
      });
      const server = serveFiles(page, { headers: ISOLATION });
      try {
        const [{ seen, messages }] = await visit([{
          url: `http://127.0.0.1:${server.addr.port}/`,
          read: "globalThis.seen",
          timeoutMs: 120_000,
        }]);
        assert(
          seen !== null && !("error" in (seen as object)),
          `${JSON.stringify(seen)} ${messages}`,
        );
        check(seen as Seen, cancelled, name);
      } finally {
        await server.shutdown();
        await slow.shutdown();
      }
    },
  });
}
