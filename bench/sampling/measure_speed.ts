/**
 * Draws from one file on one engine, in a process of its own, and prints a JSON line.
 *
 *     deno run --allow-read --allow-env --allow-ffi bench/sampling/measure_speed.ts \
 *         ENGINE MODEL THREADS SECONDS BATCHES
 *
 * ENGINE: deno (onnxruntime-web, as a bare session and through Sampler) or onnx-node. BATCHES: `1,64`.
 */
import { loadRuntime } from "../../src/ort/runtime.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { median, timeInTurns, timeWebRuntime } from "./loop.ts";

const [engine, model, threadsText, secondsText, batchesText] = Deno.args;
const threads = Number(threadsText);
const seconds = Number(secondsText);
const batches = batchesText.split(",").map(Number);
const bytes = await Deno.readFile(model);
console.log(JSON.stringify(await (engine === "deno" ? measureWeb() : measureNative())));
Deno.exit(0);

async function measureWeb() {
  const sampler = await Sampler.load(bytes, { device: "wasm", threads });
  if (sampler.device.threads !== threads) throw new Error(`Error: ${sampler.device.fallback}`);
  const ort = await import("onnxruntime-web");
  const session = await ort.InferenceSession.create(bytes);
  const version = ort.env.versions.web ?? ort.env.versions.common;
  return {
    description: `onnxruntime-web ${version} (wasm), Deno ${Deno.version.deno}`,
    speeds: await timeWebRuntime({ sampler, session, ort, batches, seconds }),
  };
}

async function measureNative() {
  const { ort, sessionOptions, description } = await loadRuntime({ runtime: "node", threads });
  const session = await ort.InferenceSession.create(bytes, sessionOptions);
  const [input] = session.inputMetadata;
  const dimension = input.isTensor ? Number(input.shape[1]) : 0;
  const speeds: { batch: number; bareMs: number }[] = [];
  for (const batch of batches) {
    const latents = new Float32Array(batch * dimension).fill(0.5);
    const run = () =>
      session.run({ [input.name]: new ort.Tensor("float32", latents, [batch, dimension]) });
    const [times] = await timeInTurns([run], seconds);
    speeds.push({ batch, bareMs: median(times) });
  }
  return { description: description.replace(/, \d+ threads?$/, ""), speeds };
}
