/**
 * The way from a cold process to the first image as a PNG, stage by stage; prints a JSON line with the
 * time of each stage's end, in milliseconds since 1970.
 *
 *     deno run --allow-read bench/sampling/measure_cold.ts MODEL THREADS
 */
const now = () => performance.timeOrigin + performance.now();
const started = now(); // Deno runs, and this file, which imports nothing, is compiled

const [model, threadsText] = Deno.args;
const threads = Number(threadsText);
const { Sampler } = await import("../../src/sampler/mod.ts");
const samplerImported = now();
await import("onnxruntime-web"); // what Sampler.load does first; apart from it so that it can be timed
const runtimeImported = now();

const first = await loadTimed();
const [image] = await first.sampler.sample({ seed: 7 });
const drawn = now();
await image.toPng();
const encoded = now();

// In a second load the runtime has started: what is left is to make the session.
const second = await loadTimed();
await first.sampler.dispose();
await second.sampler.dispose();
const { parsed, ready } = first;
const sessionMs = second.ready - second.parsed;
console.log(JSON.stringify({
  stages: { started, samplerImported, runtimeImported, parsed, ready, drawn, encoded },
  sessionMs,
}));

async function loadTimed() {
  let parsed = NaN;
  let ready = NaN;
  const sampler = await Sampler.load(model, {
    device: "wasm",
    threads,
    onProgress({ stage }) {
      if (stage === "start") parsed = now();
      if (stage === "ready") ready = now();
    },
  });
  return { sampler, parsed, ready };
}
