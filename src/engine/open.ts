/**
 * Which engine a run gets. `auto` takes a hardware GPU where there is one, else the processor: software
 * WebGPU is for tests, since the same processor does better without it.
 */
import { UserError } from "../errors.ts";
import type { Engine } from "./types.ts";

/** An engine, and why it was taken. */
export interface EngineChoice {
  engine: Engine;
  /** For the person at the terminal, such as `no WebGPU adapter was found`. */
  reason: string;
}

/**
 * Opens the engine for a device.
 * @param device `"auto"`, or the one that the user insists on
 * @throws {UserError} when WebGPU is asked for and there is no adapter
 */
export async function openEngine(device: "auto" | "webgpu" | "cpu"): Promise<EngineChoice> {
  if (device === "cpu") {
    return { engine: await openCpu(), reason: "the processor was asked for" };
  }
  const hasWebGpu = (globalThis.navigator?.gpu ?? undefined) !== undefined;
  const gpu = hasWebGpu ? await (await import("./webgpu/device.ts")).openWebGpu() : undefined;
  if (device === "webgpu") {
    if (!gpu) {
      throw new UserError(
        "Cannot train on WebGPU: there is no adapter; install the GPU's Vulkan driver (Metal and " +
          "Direct3D 12 come with the system), or leave --device away to train on the processor",
      );
    }
    return { engine: await openWebGpuEngine(), reason: "WebGPU was asked for" };
  }
  if (gpu && !gpu.isSoftware) {
    return { engine: await openWebGpuEngine(), reason: "a hardware WebGPU adapter was found" };
  }
  const reason = gpu
    ? `the only WebGPU adapter is software (${gpu.description})`
    : "no WebGPU adapter was found";
  return { engine: await openCpu(), reason };
}

async function openWebGpuEngine(): Promise<Engine> {
  const { createWebGpuEngine } = await import("./webgpu/engine.ts");
  return await createWebGpuEngine();
}

async function openCpu(): Promise<Engine> {
  const { createOnnxEngine } = await import("./onnx/mod.ts");
  return await createOnnxEngine();
}
