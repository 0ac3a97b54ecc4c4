/**
 * What replayed WebGPU steps cost the host: microseconds a dispatch (encoding and finishing command
 * buffers; handing them over is the driver's time), and the process's memory as the steps go, without
 * asking for garbage collection.
 *
 *     deno run -A bench/replay_host.ts [STEPS] [BATCH] [STEPS A CALL]
 *
 * The step is mnist-mlp's. A training run calls for about 0.4 s of steps at once.
 */
import { elementCount } from "../src/bytes.ts";
import { presetConfig } from "../src/config/presets/mod.ts";
import type { WebGpuStep } from "../src/engine/webgpu/compiled_step.ts";
import { openWebGpu } from "../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../src/engine/webgpu/engine.ts";
import { buildTrainingStep } from "../src/training/step.ts";

const [steps = 10_500, batchSize = 32, perCall = 5] = Deno.args.map(Number);
const training = buildTrainingStep(
  { ...presetConfig("mnist-mlp"), batchSize },
  { shape: [28, 28, 1] },
);
const gpu = await openWebGpu();
if (!gpu) throw new Error("There is no WebGPU adapter");
const engine = await createWebGpuEngine();
const step = await engine.compileStep(
  training.program,
  training.initialState(0),
  0,
) as WebGpuStep;
const { dispatchCount } = step.executable;

const { device } = gpu;
let encodingMs = 0;
let submits = 0;
let openedAt = 0;
const createCommandEncoder = device.createCommandEncoder;
device.createCommandEncoder = (...args) => {
  openedAt = performance.now();
  return createCommandEncoder.apply(device, args);
};
const submit = device.queue.submit;
device.queue.submit = (...args) => {
  encodingMs += performance.now() - openedAt;
  submits++;
  return submit.apply(device.queue, args);
};

const pixels = elementCount(training.program.inputs.real.shape);
const real = new Float32Array(pixels).fill(0.1);
console.log(
  `mnist-mlp, batch ${batchSize}, ${dispatchCount} dispatches a step, ${gpu.description}`,
);
const startedAt = performance.now();
let reported = 0;
for (let first = 0; first < steps; first += perCall) {
  const batches = Array.from(
    { length: perCall },
    (_, k) => ({ real, ...training.hostInputs(first + k) }),
  );
  await step.run(batches, first);
  const done = first + perCall;
  if (done - reported < 500 && done < steps) continue;
  const { rss, heapTotal } = Deno.memoryUsage();
  const count = done - reported;
  console.log(
    `step ${done}: ${(rss / 1e6).toFixed(1)} MB resident, ${(heapTotal / 1e6).toFixed(1)} of it ` +
      `JavaScript's; ${(1000 * encodingMs / count / dispatchCount).toFixed(2)} us of the host a ` +
      `dispatch, ${(encodingMs / count).toFixed(3)} ms a step, ${(submits / count).toFixed(2)} ` +
      `command buffers a step; ${((performance.now() - startedAt) / done).toFixed(2)} ms a step`,
  );
  reported = done;
  encodingMs = 0;
  submits = 0;
}
Deno.exit(0);
