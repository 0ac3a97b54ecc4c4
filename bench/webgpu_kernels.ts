/**
 * Measures our WebGPU kernels one by one, in GFLOP/s or GB/s beside what the device can do at most,
 * and what a replayed dispatch costs the host.
 *
 *     deno run --allow-read --allow-env --allow-sys bench/webgpu_kernels.ts [NAME ...]
 */
import { tf } from "../src/engine/tf.ts";
import type { TensorMap, TensorSpec } from "../src/engine/types.ts";
import type { GanforgeWebGpuBackend } from "../src/engine/webgpu/backend.ts";
import type { WebGpuFunction } from "../src/engine/webgpu/compiled_function.ts";
import { openWebGpu } from "../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../src/engine/webgpu/engine.ts";

interface Case {
  name: string;
  inputs: Record<string, number[]>;
  run(tensors: TensorMap): tf.Tensor;
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
const CASES: Case[] = [
  ...matmulCase("large", 256, 1024, 1024),
  ...matmulCase("mnist-mlp D", 64, 784, 1024),
  ...matmulCase("ring-2d D", 200, 200, 1000),
  ...convCases("cifar-dcgan D", [8, 16, 16, 32], [3, 2, 64]),
  ...convCases("cifar-dcgan G", [8, 16, 16, 128], [3, 1, 128]),
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
const engine = await createWebGpuEngine();
const backend = tf.engine().findBackend("webgpu") as unknown as GanforgeWebGpuBackend;
console.log(`${gpu.description}; tiles: ${backend.tuning.family}`);
const ceiling = await measureCeiling();
console.log(`arithmetic ceiling ${ceiling.toFixed(0)} GFLOP/s (chains of fused multiply-adds)\n`);

for (const { name, inputs, run, flops, bytes } of CASES) {
  if (Deno.args.length > 0 && !Deno.args.some((part) => name.includes(part))) continue;
  const specs = Object.fromEntries(
    Object.entries(inputs).map(([key, shape]): [string, TensorSpec] => [key, {
      shape,
      dtype: "float32",
    }]),
  );
  const fn = await engine.compileFunction((t) => ({ y: run(t) }), specs) as WebGpuFunction;
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const dispatches = await fn.executable.profile();
    best = Math.min(best, dispatches.reduce((sum, { ms }) => sum + ms, 0));
  }
  const rate = flops
    ? `${(flops / best / 1e6).toFixed(2)} GFLOP/s (${
      (flops / best / 1e4 / ceiling).toFixed(0)
    }% of the ceiling)`
    : `${(bytes! / best / 1e6).toFixed(2)} GB/s`;
  console.log(`${name.padEnd(62)} ${best.toFixed(3).padStart(9)} ms  ${rate}`);
  await fn.dispose();
}
await measureHost();
await engine.dispose();

/** GFLOP/s of independent chains of fused multiply-adds that never touch memory. */
async function measureCeiling(): Promise<number> {
  const steps = 256;
  const chains = Array.from({ length: 8 }, (_, i) => i);
  const code = `@group(0) @binding(0) var<storage, read_write> out: array<vec4<f32>>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let x = vec4<f32>(f32(id.x) * 1e-9);
  ${chains.map((i) => `var c${i} = x + ${i}.0;`).join(" ")}
  for (var k = 0; k < ${steps}; k++) {
    ${chains.map((i) => `c${i} = fma(c${i}, x, x);`).join(" ")}
  }
  out[id.x] = ${chains.map((i) => `c${i}`).join(" + ")};
}`;
  const groups = 512;
  const { device } = gpu!;
  const pipeline = backend.pipeline("ceiling", code);
  const buffer = device.createBuffer({ size: groups * 64 * 16, usage: GPUBufferUsage.STORAGE });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    for (let k = 0; k < 8; k++) pass.dispatchWorkgroups(groups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    best = Math.min(best, performance.now() - start);
  }
  buffer.destroy();
  return 8 * groups * 64 * steps * chains.length * 8 / best / 1e6;
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
