/**
 * Measures one step on one engine, in a process of its own, and prints a JSON line.
 *
 *     deno run -A bench/measure_step.ts CASE BATCH ENGINE SECONDS [TUNING]
 *
 * ENGINE: tfjs-webgpu or tfjs-cpu (TensorFlow.js eagerly, its own kernels), webgpu, onnx-web, onnx-node.
 * TUNING: fields of a GPU's tuning (src/engine/webgpu/tuning.ts) to try on webgpu, as JSON.
 *
 * Our engines get what training gives them: a pool of samples, images as bytes, and the numbers of
 * its rows. TensorFlow.js gets the values, as its users do.
 */
import { elementCount } from "../src/bytes.ts";
import { type DataSource, floatSource, imageSource } from "../src/data/source.ts";
import type { CompiledStep } from "../src/engine/types.ts";
import type { WebGpuStep } from "../src/engine/webgpu/compiled_step.ts";
import { fillUniform } from "../src/random/counter_random.ts";
import { batchFeed } from "../src/training/batch_feed.ts";
import { buildTrainingStep } from "../src/training/step.ts";
import { openBenchEngine } from "./engines.ts";
import { modelFeed } from "../src/training/model/model_feed.ts";
import { buildModelStep } from "../src/training/model/model_step.ts";
import { MODEL_CASES, type ModelCase } from "./model_cases.ts";
import { STEP_CASES, type StepCase } from "./step_cases.ts";

const [name, batchText, engineName, secondsText, tuningText] = Deno.args;
const isCase = (item: { name: string; batch: number }) =>
  item.name === name && item.batch === Number(batchText);
const found = [...STEP_CASES, ...MODEL_CASES].find(isCase);
if (!found) throw new Error(`There is no case ${name} of batch ${batchText}`);
const isPooled = !engineName.startsWith("tfjs-");
const { feed, initialState } = "model" in found ? modelStep(found) : ganStep(found);

const engine = await openBenchEngine(engineName, tuningText);
const startedAt = performance.now();
const compiled = await engine.compileStep(feed.program, initialState(0), 0);
await runSteps(compiled, 0, 1);
const compileMs = performance.now() - startedAt;

// Calls of a quarter of a second or more, so that one readback a call does not count; at least three,
// but of a step that takes seconds the first one is enough.
let done = 1;
let perCall = 1;
let ms: number;
for (;;) {
  ms = await timeCall(perCall);
  if (ms >= 250 || perCall >= 1024) break;
  perCall = Math.min(1024, Math.max(perCall + 1, Math.ceil(perCall * 300 / ms)));
}
const isSlow = ms > 2000;
const times = isSlow ? [ms] : [];
const deadline = performance.now() + Number(secondsText) * 1000;
while (!isSlow && (times.length < 3 || (performance.now() < deadline && times.length < 200))) {
  times.push(await timeCall(perCall) / perCall);
}
times.sort((a, b) => a - b);
const host = engineName === "webgpu" ? await measureHost() : {};
console.log(JSON.stringify({
  case: name,
  batch: found.batch,
  engine: engineName,
  description: engine.description,
  msPerStep: times[times.length >> 1],
  least: times[0],
  calls: times.length,
  stepsPerCall: perCall,
  compileMs,
  ...host,
}));
Deno.exit(0);

async function timeCall(steps: number): Promise<number> {
  const from = performance.now();
  await runSteps(compiled, done, steps);
  done += steps;
  return performance.now() - from;
}

async function runSteps(target: CompiledStep, first: number, count: number): Promise<void> {
  const batches = Array.from({ length: count }, (_, i) => feed.inputs(first + i, {}));
  await target.run(batches, first);
}

/** A GAN's step on random samples. */
function ganStep({ config: preset, batch }: StepCase) {
  const config = { ...preset, batchSize: batch };
  const { inputShape: shape } = config.discriminator;
  const step = buildTrainingStep(config, { shape });
  const data = madeUpData(512, shape);
  const feed = batchFeed({
    seed: config.seed,
    data: isPooled ? data : { ...data, stored: undefined },
    trainingStep: step,
  });
  return { feed, initialState: (seed: number) => step.initialState(seed) };
}

/** A model's step on random samples. */
function modelStep({ model, batch, data: makeData }: ModelCase) {
  const data = makeData();
  const inputs = Object.fromEntries(
    Object.entries(data.inputs).map(([input, source]) =>
      [input, isPooled ? source : { ...source, stored: undefined }] as const
    ),
  );
  const shapes = Object.fromEntries(
    Object.entries(inputs).map(([input, { shape }]) => [input, shape]),
  );
  if (data.table) shapes.condition = [data.table.conditions.width];
  const step = buildModelStep({ model, batchSize: batch }, shapes);
  const feed = modelFeed({ seed: 0, data: { ...data, inputs }, step });
  return { feed, initialState: (seed: number) => step.initialState(seed) };
}

/** Random images, or random points where a sample is one. */
function madeUpData(count: number, shape: readonly number[]): DataSource {
  const size = elementCount(shape);
  const values = fillUniform(new Float32Array(count * size), { seed: 1, stream: 1, step: 0 });
  const parts = { name: found!.name, description: "random numbers", shape };
  return shape.length === 1
    ? floatSource(values.map((x) => 2 * x - 1), { ...parts, kind: "points" })
    : imageSource(Uint8Array.from(values, (x) => 256 * x), parts);
}

/** What a replayed dispatch costs the host: encoding and finishing; the driver does the rest. */
async function measureHost(): Promise<{ dispatches: number; hostMicroseconds: number }> {
  const { openWebGpu } = await import("../src/engine/webgpu/device.ts");
  const { device } = (await openWebGpu())!;
  const { executable } = compiled as WebGpuStep;
  let best = Infinity;
  for (let round = 0; round < 50; round++) {
    const from = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    executable.encodeDispatches(pass);
    pass.end();
    encoder.finish();
    best = Math.min(best, performance.now() - from);
  }
  const { dispatchCount } = executable;
  return { dispatches: dispatchCount, hostMicroseconds: 1000 * best / dispatchCount };
}
