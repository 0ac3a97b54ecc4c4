/** Shared by the tests of the WebGPU engine: run with the device, compare backends. */
import { assert } from "@std/assert";
import { tf } from "../../../src/tensor/tf.ts";
import type { GanforgeWebGpuBackend } from "../../../src/engine/webgpu/backend.ts";
import { openWebGpu, type WebGpu } from "../../../src/engine/webgpu/device.ts";
import { registerOwnKernels } from "../../../src/engine/webgpu/kernels/mod.ts";
import {
  GPU_TUNING,
  type KernelTuning,
  SOFTWARE_TUNING,
} from "../../../src/engine/webgpu/tuning.ts";
import { fillNormal } from "../../../src/random/counter_random.ts";

const hasAdapter = await openWebGpu() !== undefined;

/** Registers a test that needs the device; without an adapter it is ignored, and its name says why. */
export function test(name: string, run: () => void | Promise<void>): void {
  Deno.test({
    name: hasAdapter ? name : `${name} (no WebGPU adapter)`,
    ignore: !hasAdapter,
    fn: run,
  });
}

/** Runs a test with the backend "webgpu" current, frees its tensors, and puts "cpu" back. */
export async function withWebGpu(test: (gpu: WebGpu) => Promise<void>): Promise<void> {
  const gpu = await openWebGpu();
  assert(gpu, "these tests need a WebGPU adapter; a software one is enough (Mesa's llvmpipe)");
  registerOwnKernels();
  await tf.setBackend("webgpu");
  tf.engine().startScope();
  try {
    await test(gpu);
  } finally {
    tf.engine().endScope();
    await tf.setBackend("cpu");
  }
}

/** Runs a test as {@linkcode withWebGpu} does, with the backend tuned so. */
export function withTuning(
  tuning: KernelTuning,
  test: (backend: GanforgeWebGpuBackend) => Promise<void>,
): Promise<void> {
  return withWebGpu(async () => {
    const backend = tf.backend() as unknown as GanforgeWebGpuBackend;
    const before = backend.tuning;
    backend.tuning = tuning;
    try {
      await test(backend);
    } finally {
      backend.tuning = before;
    }
  });
}

/** Defines a test for each family of tiles. */
export function testByFamily(
  name: (family: KernelTuning["family"]) => string,
  run: (backend: GanforgeWebGpuBackend) => Promise<void>,
): void {
  for (const tuning of [SOFTWARE_TUNING, GPU_TUNING]) {
    test(name(tuning.family), () => withTuning(tuning, run));
  }
}

/** N(0, 1) numbers, the same for the same `stream`. */
export function normals(shape: number[], stream: number): Float32Array {
  return fillNormal(new Float32Array(tf.util.sizeFromShape(shape)), { seed: 7, stream, step: 0 });
}

/** A tensor as plain data, to be put on any backend. */
export interface Plain {
  shape: number[];
  values: ArrayLike<number>;
  dtype?: "float32" | "int32" | "bool";
}

/** Normal numbers of a shape as plain data. */
export function plainNormals(shape: number[], stream: number): Plain {
  return { shape, values: normals(shape, stream) };
}

/** Runs a function of tensors on a backend and reads its results. */
export async function runOn(
  backend: string,
  inputs: Plain[],
  fn: (...tensors: tf.Tensor[]) => tf.Tensor | tf.Tensor[],
): Promise<Float32Array[]> {
  await tf.setBackend(backend);
  const tensors = inputs.map(({ shape, values, dtype }) =>
    tf.tensor(Array.from(values), shape, dtype ?? "float32")
  );
  const outputs = [tf.tidy(() => fn(...tensors))].flat() as tf.Tensor[];
  const values = await Promise.all(
    outputs.map(async (output) => Float32Array.from(await output.data())),
  );
  tf.dispose([tensors, outputs]);
  return values;
}

/**
 * Asserts that a function gives the same on both backends, relative to each output's largest value.
 * @param what named in the message
 */
export async function assertMatchesCpu(
  what: string,
  inputs: Plain[],
  fn: (...tensors: tf.Tensor[]) => tf.Tensor | tf.Tensor[],
  tolerance = 1e-5,
): Promise<void> {
  const expected = await runOn("cpu", inputs, fn);
  const actual = await runOn("webgpu", inputs, fn);
  assert(expected.length === actual.length, what);
  expected.forEach((want, k) => assertClose(`${what}, output ${k}`, actual[k], want, tolerance));
}

/**
 * Asserts closeness relative to the largest expected value (at least `floor`). NaN and infinities must
 * be in the same places.
 */
export function assertClose(
  what: string,
  actual: Float32Array,
  expected: Float32Array,
  tolerance: number,
  floor = 1e-20,
): void {
  assert(actual.length === expected.length, `${what}: ${actual.length} of ${expected.length}`);
  const scale = expected.reduce((m, x) => Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m, floor);
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i], expected[i]];
    const same = Number.isFinite(e) ? Math.abs(a - e) <= tolerance * scale : Object.is(a, e);
    assert(same, `${what}: element ${i} is ${a}, expected ${e} (scale ${scale})`);
  }
}
