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
 * Opens the engine for a device. A GPU has to compute something first: where it fails, `auto` takes the
 * processor.
 * @param device `"auto"`, or the one that the user insists on
 * @throws {UserError} when WebGPU is asked for, and there is no adapter, or it fails
 */
export async function openEngine(device: "auto" | "webgpu" | "cpu"): Promise<EngineChoice> {
  if (device === "cpu") {
    return { engine: await openCpu(), reason: "the processor was asked for" };
  }
  const isWanted = device === "webgpu";
  const found = await findWebGpu({ andSoftware: isWanted });
  if (typeof found !== "string") {
    const reason = isWanted ? "WebGPU was asked for" : "a hardware WebGPU adapter was found";
    return { engine: found, reason };
  }
  if (isWanted) {
    throw new UserError(
      `Cannot train on WebGPU: ${found}; install or update the GPU's driver (Vulkan on Linux; Metal ` +
        "and Direct3D 12 come with the system), or train on the processor with --device cpu",
    );
  }
  return { engine: await openCpu(), reason: found };
}

/** The engine on the adapter that there is, or why it is not taken. */
async function findWebGpu({ andSoftware }: { andSoftware: boolean }): Promise<Engine | string> {
  if ((globalThis.navigator?.gpu ?? undefined) === undefined) return "no WebGPU adapter was found";
  let name = "a WebGPU adapter";
  try {
    const gpu = await (await import("./webgpu/device.ts")).openWebGpu();
    if (!gpu) return "no WebGPU adapter was found";
    name = `the WebGPU adapter ${gpu.description}`;
    if (gpu.isSoftware && !andSoftware) {
      return `the only WebGPU adapter is software (${gpu.description})`;
    }
    const { createWebGpuEngine } = await import("./webgpu/engine.ts");
    const engine = await createWebGpuEngine();
    await (await import("./probe.ts")).probe(engine);
    return engine;
  } catch (error) {
    return `${name} fails: ${inOneLine(error)}`;
  }
}

/** An error of a driver may be a page of shader code. */
const LONGEST_REASON = 200;

/** What an error says, or what it says of its cause where that is the driver's. */
function inOneLine(error: unknown): string {
  const { message } = error instanceof UserError && error.cause instanceof Error
    ? error.cause
    : error instanceof Error
    ? error
    : new Error(String(error));
  const line = message.replaceAll(/\s+/g, " ").trim();
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}...` : line;
}

async function openCpu(): Promise<Engine> {
  const { createOnnxEngine } = await import("./onnx/mod.ts");
  return await createOnnxEngine();
}
