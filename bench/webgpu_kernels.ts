/**
 * Measures our WebGPU kernels one by one and prints a table: GFLOP/s or GB/s, and which share that is
 * of what the device does at most (device_ceilings.ts); then what a replayed dispatch costs the host.
 *
 *     deno run --allow-read --allow-env --allow-sys bench/webgpu_kernels.ts [OPTION] [NAME ...]
 *
 * --tiles=FAMILY: registers or workgroup (src/engine/webgpu/tuning.ts); by default the adapter's own.
 * --tuning=JSON: fields of a GPU's tuning to try.
 */
import { tf } from "../src/tensor/tf.ts";
import type { GanforgeWebGpuBackend } from "../src/engine/webgpu/backend.ts";
import type { WebGpuFunction } from "../src/engine/webgpu/compiled_function.ts";
import { openWebGpu } from "../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../src/engine/webgpu/engine.ts";
import { GPU_TUNING, type KernelTuning, SOFTWARE_TUNING } from "../src/engine/webgpu/tuning.ts";
import { arithmeticCeiling, copyCeiling } from "./device_ceilings.ts";
import { passMilliseconds } from "./device_time.ts";
import { gpuTuning } from "./gpu_tuning.ts";
import { functionOf, inputSpecs, KERNEL_CASES } from "./kernel_cases.ts";

const gpu = await openWebGpu();
if (!gpu) {
  console.error("There is no WebGPU adapter to measure.");
  Deno.exit(2);
}
const names = Deno.args.filter((arg) => !arg.startsWith("--"));
const options = Deno.args.filter((arg) => arg.startsWith("--"));
const tuning = chosenTuning(options);
const engine = await createWebGpuEngine({ tuning });
const backend = tf.engine().findBackend("webgpu") as unknown as GanforgeWebGpuBackend;
const ceiling = {
  flops: await arithmeticCeiling(gpu.device, gpu.isSoftware),
  bytes: await copyCeiling(gpu.device, gpu.isSoftware),
};
console.log(`${gpu.description}; tiles in ${(tuning ?? backend.tuning).family}`);
console.log(
  `ceilings: ${ceiling.flops.toFixed(0)} GFLOP/s (chains of fused multiply-adds), ` +
    `${ceiling.bytes.toFixed(1)} GB/s (copies)\n`,
);
printRow(["kernel", "dispatches", "ms", "rate", "of the ceiling"]);
printRow([":-", "-:", "-:", "-:", "-:"]);
for (const item of KERNEL_CASES) {
  const { name, flops, bytes } = item;
  if (names.length > 0 && !names.some((part) => name.includes(part))) continue;
  const fn = await engine.compileFunction(functionOf(item), inputSpecs(item)) as WebGpuFunction;
  const ms = await passMilliseconds(gpu.device, (pass) => fn.executable.encodeDispatches(pass));
  const rate = (flops ?? bytes!) / ms / 1e6;
  const share = `${(100 * rate / (flops ? ceiling.flops : ceiling.bytes)).toFixed(0)}%`;
  const { dispatchCount } = fn.executable;
  const unit = flops ? "GFLOP/s" : "GB/s";
  printRow([name, String(dispatchCount), ms.toFixed(4), `${rate.toPrecision(3)} ${unit}`, share]);
  await fn.dispose();
}
await measureHost();
await engine.dispose();
Deno.exit(0);

/** One row of the table. */
function printRow([name, ...numbers]: string[]): void {
  console.log(`| ${name.padEnd(62)} | ${numbers.map((text) => text.padStart(14)).join(" | ")} |`);
}

/** What `--tiles=` or `--tuning=` asks for; undefined leaves it to the adapter. */
function chosenTuning(options: string[]): KernelTuning | undefined {
  if (options.length === 0) return undefined;
  const [option] = options;
  const found = [SOFTWARE_TUNING, GPU_TUNING].find(({ family }) => option === `--tiles=${family}`);
  const tuning = option.startsWith("--tuning=") ? gpuTuning(option.slice(9)) : found;
  if (options.length === 1 && tuning) return tuning;
  console.error(
    `Cannot measure with ${
      options.join(" ")
    }: give one of --tiles=registers, --tiles=workgroup and ` +
      "--tuning=JSON",
  );
  Deno.exit(2);
}

/** Microseconds of the host for one replayed dispatch: encoding, finishing and submitting. */
async function measureHost(): Promise<void> {
  const length = 200;
  const fn = await engine.compileFunction(({ a, b }) => {
    let x = a;
    for (let k = 0; k < length; k++) x = tf.matMul(x as tf.Tensor2D, b as tf.Tensor2D);
    return { x };
  }, {
    a: { shape: [4, 4], dtype: "float32" },
    b: { shape: [4, 4], dtype: "float32" },
  }) as WebGpuFunction;
  let best = Infinity;
  for (let round = 0; round < 30; round++) {
    const start = performance.now();
    const encoder = gpu!.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    fn.executable.encodeDispatches(pass);
    pass.end();
    gpu!.device.queue.submit([encoder.finish()]);
    best = Math.min(best, performance.now() - start);
    await gpu!.device.queue.onSubmittedWorkDone();
  }
  const { dispatchCount } = fn.executable;
  console.log(
    `\nhost: ${(1000 * best / dispatchCount).toFixed(2)} us a replayed dispatch ` +
      `(${dispatchCount} in ${best.toFixed(3)} ms)`,
  );
  await fn.dispose();
}
