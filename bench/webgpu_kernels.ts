/**
 * Measures our WebGPU kernels one by one and prints a table: GFLOP/s or GB/s, and which share that is
 * of what the device does at most (device_ceilings.ts); then what a replayed dispatch costs the host.
 *
 *     deno run --allow-read --allow-env --allow-sys bench/webgpu_kernels.ts [--tiles=FAMILY] [NAME ...]
 *
 * FAMILY: registers or workgroup (src/engine/webgpu/tuning.ts); by default the adapter's own.
 */
import { tf } from "../src/engine/tf.ts";
import type { TensorMap, TensorSpec } from "../src/engine/types.ts";
import type { GanforgeWebGpuBackend } from "../src/engine/webgpu/backend.ts";
import type { WebGpuFunction } from "../src/engine/webgpu/compiled_function.ts";
import { openWebGpu } from "../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../src/engine/webgpu/engine.ts";
import { GPU_TUNING, type KernelTuning, SOFTWARE_TUNING } from "../src/engine/webgpu/tuning.ts";
import { arithmeticCeiling, copyCeiling } from "./device_ceilings.ts";

interface Case {
  name: string;
  inputs: Record<string, number[]>;
  run(tensors: TensorMap): tf.Tensor | tf.Tensor[];
  /** Floating point operations, or bytes moved. */
  flops?: number;
  bytes?: number;
}

const ROUNDS = 12;

function matmulCase(what: string, m: number, k: number, n: number): Case[] {
  const product = (ta: boolean, tb: boolean): Case => ({
    name: `matmul ${ta ? "T" : "N"}${tb ? "T" : "N"} ${m}x${k}x${n} (${what})`,
    inputs: { a: ta ? [k, m] : [m, k], b: tb ? [n, k] : [k, n] },
    run: ({ a, b }) => tf.matMul(a, b, ta, tb),
    flops: 2 * m * k * n,
  });
  return [product(false, false), product(false, true), product(true, false)];
}

function convCases(
  what: string,
  image: [number, number, number, number],
  kernel: [number, number, number],
): Case[] {
  const [batch, height, width, channels] = image;
  const [size, stride, filters] = kernel;
  const [outHeight, outWidth] = [height / stride, width / stride];
  const flops = 2 * batch * outHeight * outWidth * filters * size * size * channels;
  const attrs = {
    strides: stride,
    pad: [[0, 0], [1, 1], [1, 1], [0, 0]],
    dataFormat: "NHWC",
    dimRoundingMode: "floor",
  };
  const x = image as number[];
  const f = [size, size, channels, filters];
  const y = [batch, outHeight, outWidth, filters];
  const name = `${batch}x${height}x${width}x${channels} ${size}x${size}/${stride} ${filters}`;
  const kernelOf = (kernelName: string, tensors: TensorMap, own: Record<string, unknown> = {}) =>
    tf.engine().runKernel(
      kernelName,
      tensors,
      { ...attrs, ...own } as unknown as tf.NamedAttrMap,
    ) as tf.Tensor;
  return [{
    name: `conv ${name} (${what})`,
    inputs: { x, filter: f },
    run: (t) => kernelOf("Conv2D", t, { dilations: 1 }),
    flops,
  }, {
    name: `conv input gradient ${name}`,
    inputs: { dy: y, filter: f },
    run: (t) => kernelOf("Conv2DBackpropInput", t, { inputShape: x }),
    flops,
  }, {
    name: `conv filter gradient ${name}`,
    inputs: { x, dy: y },
    run: (t) => kernelOf("Conv2DBackpropFilter", t, { filterShape: f }),
    flops,
  }];
}

const MEGA = 1 << 20;
const [parameter, moment] = [[784, 1024], [784, 1024]];
const CASES: Case[] = [
  ...matmulCase("large", 256, 1024, 1024),
  ...matmulCase("mnist-mlp D", 64, 784, 1024),
  ...matmulCase("mnist-mlp G", 32, 1024, 784),
  ...matmulCase("ring-2d D", 200, 200, 1000),
  ...convCases("cifar-dcgan D", [8, 16, 16, 32], [3, 2, 64]),
  ...convCases("cifar-dcgan G", [8, 16, 16, 128], [3, 1, 128]),
  ...convCases("cifar-dcgan G", [8, 32, 32, 128], [3, 1, 64]),
  ...convCases("cifar-dcgan G", [8, 32, 32, 64], [3, 1, 4]),
  {
    name: "add, 4 MB each",
    inputs: { a: [MEGA], b: [MEGA] },
    run: ({ a, b }) => tf.add(a, b),
    bytes: 12 * MEGA,
  },
  {
    name: "fused tanh(a * b + a), 4 MB each",
    inputs: { a: [MEGA], b: [MEGA] },
    run: ({ a, b }) => tf.tanh(tf.add(tf.mul(a, b), a)),
    bytes: 12 * MEGA,
  },
  {
    name: "Adam of [784, 1024]",
    inputs: { param: parameter, grad: parameter, m: moment, v: moment, hyper: [5] },
    run: ({ param, grad, m, v, hyper }) => {
      const number = (k: number) => tf.slice(hyper, k, 1);
      const first = tf.add(tf.mul(m, number(0)), tf.mul(grad, number(1)));
      const second = tf.add(tf.mul(v, number(2)), tf.mul(tf.square(grad), number(3)));
      const move = tf.div(tf.mul(first, number(4)), tf.add(tf.sqrt(second), 1e-8));
      return [tf.sub(param, move), first, second];
    },
    bytes: 28 * 784 * 1024,
  },
  {
    name: "column sums of [8192, 128]",
    inputs: { a: [8192, 128] },
    run: ({ a }) => tf.sum(a, 0),
    bytes: 4 * MEGA,
  },
  {
    name: "sum of squares of [8, 131072] over rows",
    inputs: { a: [8, 131072] },
    run: ({ a }) => tf.sum(tf.square(a), 1),
    bytes: 4 * MEGA,
  },
  {
    name: "up-sampling [8, 16, 16, 128] by 2",
    inputs: { a: [8, 16, 16, 128] },
    run: ({ a }) => tf.image.resizeNearestNeighbor(a as tf.Tensor4D, [32, 32]),
    bytes: 4 * 8 * 16 * 16 * 128 * 5,
  },
];

const gpu = await openWebGpu();
if (!gpu) {
  console.error("There is no WebGPU adapter to measure.");
  Deno.exit(2);
}
const names = Deno.args.filter((arg) => !arg.startsWith("--"));
const tuning = chosenTuning(Deno.args.find((arg) => arg.startsWith("--")));
const engine = await createWebGpuEngine({ tuning });
const backend = tf.engine().findBackend("webgpu") as unknown as GanforgeWebGpuBackend;
const ceiling = {
  flops: await arithmeticCeiling(gpu.device),
  bytes: await copyCeiling(gpu.device),
};
console.log(`${gpu.description}; tiles in ${(tuning ?? backend.tuning).family}`);
console.log(
  `ceilings: ${ceiling.flops.toFixed(0)} GFLOP/s (chains of fused multiply-adds), ` +
    `${ceiling.bytes.toFixed(1)} GB/s (copies)\n`,
);
printRow(["kernel", "ms", "rate", "of the ceiling"]);
printRow([":-", "-:", "-:", "-:"]);
for (const { name, inputs, run, flops, bytes } of CASES) {
  if (names.length > 0 && !names.some((part) => name.includes(part))) continue;
  const specs = Object.fromEntries(
    Object.entries(inputs).map(([key, shape]): [string, TensorSpec] => [key, {
      shape,
      dtype: "float32",
    }]),
  );
  const fn = await engine.compileFunction(
    (tensors) => Object.fromEntries([run(tensors)].flat().map((y, k) => [`y${k}`, y])),
    specs,
  ) as WebGpuFunction;
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const dispatches = await fn.executable.profile();
    best = Math.min(best, dispatches.reduce((sum, { ms }) => sum + ms, 0));
  }
  const rate = (flops ?? bytes!) / best / 1e6;
  const share = `${(100 * rate / (flops ? ceiling.flops : ceiling.bytes)).toFixed(0)}%`;
  printRow([name, best.toFixed(3), `${rate.toFixed(1)} ${flops ? "GFLOP/s" : "GB/s"}`, share]);
  await fn.dispose();
}
await measureHost();
await engine.dispose();
Deno.exit(0);

/** One row of the table. */
function printRow([name, ...numbers]: string[]): void {
  console.log(`| ${name.padEnd(62)} | ${numbers.map((text) => text.padStart(14)).join(" | ")} |`);
}

/** The family that `--tiles=` asks for; undefined leaves it to the adapter. */
function chosenTuning(option: string | undefined): KernelTuning | undefined {
  if (option === undefined) return undefined;
  const found = [SOFTWARE_TUNING, GPU_TUNING].find(({ family }) => option === `--tiles=${family}`);
  if (found) return found;
  console.error(`Cannot measure with ${option}: there are --tiles=registers and --tiles=workgroup`);
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
