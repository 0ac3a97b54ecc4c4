import { assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { UserError } from "../../../src/errors.ts";
import { tf } from "../../../src/tensor/tf.ts";
import { openWebGpu } from "../../../src/engine/webgpu/device.ts";
import { runScript, sourceUrl as source } from "../run_script.ts";
import { test, withWebGpu } from "./helpers.ts";

test("openWebGpu() registers one device with the adapter's limits as backend 'webgpu'", () =>
  withWebGpu(async (gpu) => {
    assertStrictEquals(await openWebGpu(), gpu);
    if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", "/"); // quiet, Mesa
    const adapter = (await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }))!;
    assertEquals(
      gpu.device.limits.maxStorageBuffersPerShaderStage,
      adapter.limits.maxStorageBuffersPerShaderStage,
    );
    assertEquals(tf.getBackend(), "webgpu");
    assertEquals(tf.env().getBool("WEBGPU_CPU_FORWARD"), false);
    assertEquals([...await tf.add([1, 2, 3], 1).data()], [2, 3, 4]);
    if (Deno.build.os === "linux" && !Deno.env.get("DENO_WEBGPU_BACKEND")) {
      assertEquals(gpu.api, "Vulkan"); // the tests' machine has it, and it goes before OpenGL
      assertMatch(gpu.description, / through Vulkan/);
    }
    if (gpu.isSoftware) assertMatch(gpu.description, /, software adapter$/);
    gpu.check();
  }));

Deno.test("openWebGpu() gives undefined when there is no WebGPU, or no adapter", async () => {
  const script = `
    const gpu = { requestAdapter: () => Promise.resolve(null) };
    const value = Deno.args[0] === "none" ? undefined : gpu;
    Object.defineProperty(globalThis.navigator, "gpu", { value, configurable: true });
    const { openWebGpu } = await import(${source("webgpu/device.ts")});
    console.log(await openWebGpu());`;
  assertEquals(await runScript(script, "none"), "undefined");
  assertEquals(await runScript(script, "null"), "undefined");
});

test("a lost device ends the run with a message, and can be opened again", async () => {
  const printed = await runScript(`
    const { openWebGpu } = await import(${source("webgpu/device.ts")});
    const { createWebGpuEngine } = await import(${source("webgpu/engine.ts")});
    const gpu = await openWebGpu();
    const state = { a: { shape: [2], dtype: "float32", data: new Float32Array(2) } };
    const next = ({ a }) => ({ state: { a: a.add(1) }, scalars: { sum: a.sum() } });
    const program = { step: next, inputs: {} };
    const compile = async () => (await createWebGpuEngine()).compileStep(program, state, 1);
    const step = await compile();
    gpu.device.destroy();
    await step.run([{}], 0).catch((error) => console.log(error.message));
    await step.readState().catch((error) => console.log(error.message));
    const again = await compile();
    await again.run([{}], 0);
    console.log((await again.readState()).a.data.join());`);
  assertEquals(
    printed,
    "Cannot go on: the WebGPU device was lost (destroyed): device was lost\n".repeat(2) + "1,1",
  );
});

test("an error of the device throws at the next read, once, with the driver's words", () =>
  withWebGpu(async (gpu) => {
    gpu.device.createShaderModule({ code: "fn main( {" });
    const sum = tf.add([1], [2]);
    const { message } = await assertRejects(() => sum.data(), UserError);
    assertMatch(
      message,
      /^Cannot go on: the WebGPU device reported an error: .*GPU.*Error.*; .* --device cpu computes/s,
    );
    assertEquals([...await tf.add([1], [2]).data()], [3]);
  }));

test("readSync() of a tensor on the GPU throws and says to await data()", () =>
  withWebGpu(async () => {
    const sum = tf.add([1], [2]);
    await assertRejects(
      () => Promise.resolve().then(() => sum.dataSync()),
      Error,
      "use await data()",
    );
  }));
