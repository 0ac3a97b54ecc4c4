/** Shared by the tests of the WebGPU engine: run with the device, compare tensors. */
import { assert } from "@std/assert";
import { tf } from "../../../src/engine/tf.ts";
import { openWebGpu, type WebGpu } from "../../../src/engine/webgpu/device.ts";

/** Runs a test with the backend "webgpu" current, frees its tensors, and puts "cpu" back. */
export async function withWebGpu(test: (gpu: WebGpu) => Promise<void>): Promise<void> {
  const gpu = await openWebGpu();
  assert(gpu, "these tests need a WebGPU adapter; a software one is enough (Mesa's llvmpipe)");
  await tf.setBackend("webgpu");
  tf.engine().startScope();
  try {
    await test(gpu);
  } finally {
    tf.engine().endScope();
    await tf.setBackend("cpu");
  }
}
