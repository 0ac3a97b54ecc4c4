import { assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { tf } from "../../../src/engine/tf.ts";
import { openWebGpu } from "../../../src/engine/webgpu/device.ts";
import { withWebGpu } from "./helpers.ts";

Deno.test("openWebGpu() registers one device with the adapter's limits as backend 'webgpu'", () =>
  withWebGpu(async (gpu) => {
    assertStrictEquals(await openWebGpu(), gpu);
    if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", "/"); // quiet, Mesa
    const adapter = (await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }))!;
    assertEquals(
      gpu.device.limits.maxStorageBuffersPerShaderStage,
      adapter.limits.maxStorageBuffersPerShaderStage,
    );
    assertEquals(tf.getBackend(), "webgpu");
    assertEquals([...await tf.add([1, 2, 3], 1).data()], [2, 3, 4]);
    if (gpu.isSoftware) assertMatch(gpu.description, /, software adapter$/);
    gpu.check();
  }));

Deno.test("openWebGpu() gives undefined when there is no WebGPU, or no adapter", async () => {
  const script = `
    const gpu = { requestAdapter: () => Promise.resolve(null) };
    const value = Deno.args[0] === "none" ? undefined : gpu;
    Object.defineProperty(globalThis.navigator, "gpu", { value, configurable: true });
    const { openWebGpu } = await import(${
    JSON.stringify(new URL("../../../src/engine/webgpu/device.ts", import.meta.url).href)
  });
    console.log(await openWebGpu());`;
  for (const kind of ["none", "null"]) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `--config=${new URL("../../../deno.json", import.meta.url).pathname}`,
        script,
        kind,
      ],
      stderr: "inherit",
    }).output();
    assertEquals(new TextDecoder().decode(stdout).trim(), "undefined");
  }
});

Deno.test("an error of the device throws at the next read, once, with the driver's words", () =>
  withWebGpu(async (gpu) => {
    gpu.device.createShaderModule({ code: "fn main( {" });
    const sum = tf.add([1], [2]);
    await assertRejects(() => sum.data(), Error, "The WebGPU device reported an error");
    assertEquals([...await tf.add([1], [2]).data()], [3]);
  }));

Deno.test("readSync() of a tensor on the GPU throws and says to await data()", () =>
  withWebGpu(async () => {
    const sum = tf.add([1], [2]);
    await assertRejects(
      () => Promise.resolve().then(() => sum.dataSync()),
      Error,
      "use await data()",
    );
  }));
