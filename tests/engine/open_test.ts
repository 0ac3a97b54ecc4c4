/** Which engine a run gets, and what it says of it, with adapters of every sort. */
import { assertEquals, assertMatch } from "@std/assert";
import { runScript, sourceUrl } from "./run_script.ts";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";

/** What is done to WebGPU before an engine is opened. */
const FAKES = {
  none: "",
  "without WebGPU": `
    Object.defineProperty(globalThis.navigator, "gpu", { value: undefined, configurable: true });`,
  "without an adapter": `
    navigator.gpu.requestAdapter = () => Promise.resolve(null);`,
  hardware: `
    const info = { description: "Good GPU", vendor: "", architecture: "", device: "" };
    Object.defineProperty(GPUAdapter.prototype, "info", { value: info });`,
  "OpenGL alone": `
    Deno.env.delete("DENO_WEBGPU_BACKEND");
    const { requestAdapter } = navigator.gpu;
    navigator.gpu.requestAdapter = function (options) {
      const api = Deno.env.get("DENO_WEBGPU_BACKEND");
      if (api === "vulkan") return Promise.resolve(null);
      Deno.env.delete("DENO_WEBGPU_BACKEND"); // the test's adapter stands for OpenGL's
      return requestAdapter.call(this, options);
    };`,
  "a device that cannot be opened": `
    GPUAdapter.prototype.requestDevice = () => Promise.reject(new TypeError("no\\nqueue"));`,
  "a compiler that refuses": `
    const { createShaderModule } = GPUDevice.prototype;
    GPUDevice.prototype.createShaderModule = function (descriptor) {
      return createShaderModule.call(this, { ...descriptor, code: "fn main( {" });
    };`,
  "a device that does nothing": `
    GPUComputePassEncoder.prototype.dispatchWorkgroups = () => {};`,
};

/** Opens an engine with adapters like this, and gives its name and the reason, or the error. */
async function open(device: string, ...fakes: (keyof typeof FAKES)[]): Promise<string> {
  return await runScript(`
    ${fakes.map((fake) => FAKES[fake]).join("")}
    const { openEngine } = await import(${sourceUrl("open.ts")});
    try {
      const { engine, reason, hint } = await openEngine(${JSON.stringify(device)});
      // Only the WebAssembly runtime leaves something to hint at.
      const isHinted = hint?.includes("npm install --no-save") ?? false;
      const misfit = isHinted === (engine.name === "onnx-web") ? "" : " with the hint " + hint;
      console.log(engine.name + ": " + reason + misfit);
      await engine.dispose();
    } catch (error) {
      console.log(error.name + ": " + error.message);
    }
    Deno.exit(0);`);
}

Deno.test("openEngine() takes the CPU where there is no adapter, and says so", async () => {
  const expected = /^onnx-(web|node): no WebGPU adapter was found$/;
  assertMatch(await open("auto", "without WebGPU"), expected);
  assertMatch(await open("auto", "without an adapter"), expected);
  assertMatch(
    await open("webgpu", "without an adapter"),
    /^UserError: Cannot train on WebGPU: no WebGPU adapter was found; install .* --device cpu$/,
  );
});

const gpu = await openWebGpu();

Deno.test({
  name: "openEngine() takes hardware by itself, software when asked for, and says why",
  ignore: !gpu,
  async fn() {
    assertEquals(await open("auto", "hardware"), "webgpu: a hardware WebGPU adapter was found");
    assertEquals(await open("webgpu", "none"), "webgpu: WebGPU was asked for");
    assertMatch(await open("cpu", "hardware"), /^onnx-(web|node): the CPU was asked for$/);
    if (!gpu!.isSoftware) return;
    assertMatch(
      await open("auto", "none"),
      /^onnx-(web|node): the only WebGPU adapter is software \(.*, software adapter\)$/,
    );
  },
});

Deno.test({
  name: "openEngine() takes the CPU where only OpenGL has an adapter, or says that it is slow",
  ignore: !gpu || Deno.build.os !== "linux",
  async fn() {
    assertMatch(
      await open("auto", "hardware", "OpenGL alone"),
      /^onnx-(web|node): the only WebGPU adapter is OpenGL's \(Good GPU through OpenGL\), on which a step may take minutes to compile: install the GPU's Vulkan driver \(.*\), or take it with --device webgpu$/,
    );
    assertMatch(
      await open("webgpu", "hardware", "OpenGL alone"),
      /^webgpu: WebGPU was asked for, and OpenGL's adapter may take minutes to compile a step: install the GPU's Vulkan driver/,
    );
  },
});

for (
  const [fake, reason] of [
    ["a device that cannot be opened", "a WebGPU adapter fails: no queue"],
    ["a compiler that refuses", "the WebGPU adapter Good GPU.* fails: GPU\\w*Error: .+"],
    [
      "a device that does nothing",
      "the WebGPU adapter Good GPU.* fails: it computes 0 where \\d+ is right",
    ],
  ] as const
) {
  Deno.test({
    name: `openEngine() takes the CPU instead of ${fake}, or names --device cpu`,
    ignore: !gpu,
    async fn() {
      assertMatch(await open("auto", "hardware", fake), new RegExp(`^onnx-(web|node): ${reason}$`));
      assertMatch(
        await open("webgpu", "hardware", fake),
        new RegExp(`^UserError: Cannot train on WebGPU: ${reason}; install or .* --device cpu$`),
      );
    },
  });
}
