/** The engines that measurements compare, by name; each is loaded when it is asked for. */
import { createEagerEngine } from "../src/engine/eager/engine.ts";
import type { Engine } from "../src/engine/types.ts";

/**
 * Opens an engine.
 * @param name tfjs-cpu, tfjs-webgpu, webgpu, onnx-web or onnx-node
 * @param tuning fields of a GPU's tuning to try on webgpu, as JSON
 */
export async function openBenchEngine(name: string, tuning?: string): Promise<Engine> {
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
      const { gpuTuning } = await import("./gpu_tuning.ts");
      return await createWebGpuEngine(tuning ? { tuning: gpuTuning(tuning) } : {});
    }
    case "onnx-web":
    case "onnx-node": {
      const { createOnnxEngine } = await import("../src/engine/onnx/mod.ts");
      return await createOnnxEngine({ runtime: name === "onnx-web" ? "web" : "node" });
    }
  }
  throw new Error(`There is no engine ${name}`);
}
