/**
 * Measures one step on one engine, in a process of its own, and prints a JSON line.
 *
 *     deno run -A bench/measure_step.ts CASE BATCH ENGINE SECONDS
 *
 * ENGINE: tfjs-webgpu or tfjs-cpu (TensorFlow.js eagerly, its own kernels), webgpu, onnx-web, onnx-node.
 */
import { createEagerEngine } from "../src/engine/eager.ts";
import type { CompiledStep, Engine, StepInputs } from "../src/engine/types.ts";
import { fillUniform } from "../src/random/counter_random.ts";
import { buildTrainingStep } from "../src/training/step.ts";
import { STEP_CASES } from "./step_cases.ts";

const [name, batchText, engineName, secondsText] = Deno.args;
const found = STEP_CASES.find((item) => item.name === name && item.batch === Number(batchText));
if (!found) throw new Error(`There is no case ${name} of batch ${batchText}`);
const config = { ...found.config, batchSize: found.batch };
const shape = config.discriminator.inputShape;
const step = buildTrainingStep(config, { shape });
const sampleSize = shape.reduce((a, b) => a * b, 1);

const engine = await openEngine(engineName);
const startedAt = performance.now();
const compiled = await engine.compileStep(step.program, step.initialState(0), 0);
await runSteps(compiled, 0, 1);
const compileMs = performance.now() - startedAt;

// Calls of a quarter of a second or more, so that one readback a call does not count; at least three.
let done = 1;
let perCall = 1;
for (;;) {
  const ms = await timeCall(perCall);
  if (ms >= 250 || perCall >= 1024) break;
  perCall = Math.min(1024, Math.max(perCall + 1, Math.ceil(perCall * 300 / ms)));
}
const times: number[] = [];
const deadline = performance.now() + Number(secondsText) * 1000;
while (times.length < 3 || (performance.now() < deadline && times.length < 200)) {
  times.push(await timeCall(perCall) / perCall);
}
times.sort((a, b) => a - b);
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
}));
Deno.exit(0);

async function openEngine(name: string): Promise<Engine> {
  switch (name) {
    case "tfjs-cpu":
      return createEagerEngine("cpu", "TensorFlow.js, cpu");
    case "tfjs-webgpu": {
      const { openWebGpu } = await import("../src/engine/webgpu/device.ts");
      const gpu = await openWebGpu();
      if (!gpu) throw new Error("There is no WebGPU adapter");
      return createEagerEngine("webgpu", `TensorFlow.js, ${gpu.description}`);
    }
    case "webgpu": {
      const { createWebGpuEngine } = await import("../src/engine/webgpu/engine.ts");
      return await createWebGpuEngine();
    }
    case "onnx-web":
    case "onnx-node": {
      const { createOnnxEngine } = await import("../src/engine/onnx/mod.ts");
      return await createOnnxEngine({ runtime: name === "onnx-web" ? "web" : "node" });
    }
  }
  throw new Error(`There is no engine ${name}`);
}

async function timeCall(steps: number): Promise<number> {
  const from = performance.now();
  await runSteps(compiled, done, steps);
  done += steps;
  return performance.now() - from;
}

async function runSteps(target: CompiledStep, first: number, count: number): Promise<void> {
  const batches: StepInputs[] = [];
  for (let i = 0; i < count; i++) {
    const real = new Float32Array(step.samplesPerStep * sampleSize);
    fillUniform(real, { seed: 1, stream: 1, step: first + i });
    batches.push({ real: real.map((x) => 2 * x - 1), ...step.hostInputs(first + i) });
  }
  await target.run(batches, first);
}
