/**
 * Which engine a run gets. `auto` takes a hardware GPU where there is one, else the CPU: software WebGPU
 * is for tests, since the same CPU does better without it, and OpenGL compiles a step too slowly.
 */
import { UserError } from "../errors.ts";
import { NATIVE_VERSION } from "../ort/native.ts";
import type { Engine } from "./types.ts";

/** An engine, and why it was taken. */
export interface EngineChoice {
  engine: Engine;
  /** For the person at the terminal, such as `no WebGPU adapter was found`. */
  reason: string;
  /** What would make training faster on this machine; undefined where nothing is known. */
  hint?: string;
}

/** How an engine may use the machine. */
export interface OpenEngineOptions {
  /** Threads on the CPU. Default: one a core, at most 16. */
  threads?: number;
}

/**
 * Opens the engine for a device. A GPU has to compute something first: where it fails, `auto` takes the
 * CPU.
 * @param device `"auto"`, or the one that the user insists on
 * @throws {UserError} when WebGPU is asked for, and there is no adapter, or it fails
 */
export async function openEngine(
  device: "auto" | "webgpu" | "cpu",
  options: OpenEngineOptions = {},
): Promise<EngineChoice> {
  if (device === "cpu") {
    return cpuChoice(await openCpu(options), "the CPU was asked for");
  }
  const isWanted = device === "webgpu";
  const found = await findWebGpu({ insists: isWanted });
  if (typeof found !== "string") return found;
  if (isWanted) {
    throw new UserError(
      `Cannot train on WebGPU: ${found}; install or update the GPU's driver (Vulkan on Linux; Metal ` +
        "and Direct3D 12 come with the system), or train on the CPU with --device cpu",
    );
  }
  return cpuChoice(await openCpu(options), found);
}

/** Platforms that onnxruntime-node has a build for. */
const NATIVE_PLATFORMS = ["linux-x86_64", "linux-aarch64", "darwin-aarch64", "windows-x86_64"];

/** An engine on the CPU, with a hint where the native runtime would be faster (bench/RESULTS.md) and nobody has tried. */
function cpuChoice(engine: Engine, reason: string): EngineChoice {
  const platform = globalThis.Deno && `${Deno.build.os}-${Deno.build.arch}`;
  const isTried = engine.description.includes("onnxruntime-node");
  if (isTried || !NATIVE_PLATFORMS.includes(platform ?? "")) return { engine, reason };
  return {
    engine,
    reason,
    hint:
      "the native ONNX Runtime trains 2 to 3 times as fast: npm install --no-save --ignore-scripts " +
      `onnxruntime-node@${NATIVE_VERSION}`,
  };
}

/** What to do about an OpenGL adapter. */
const VULKAN_HINT = globalThis.Deno?.build.os === "linux"
  ? "install the GPU's Vulkan driver (on Debian mesa-vulkan-drivers, or the vendor's)"
  : "update the GPU's driver";

/**
 * The engine on the adapter that there is, or why it is not taken.
 * @param options.insists whether any adapter will do
 */
async function findWebGpu({ insists }: { insists: boolean }): Promise<EngineChoice | string> {
  if ((globalThis.navigator?.gpu ?? undefined) === undefined) return "no WebGPU adapter was found";
  let name = "a WebGPU adapter";
  try {
    const gpu = await (await import("./webgpu/device.ts")).openWebGpu();
    if (!gpu) return "no WebGPU adapter was found";
    name = `the WebGPU adapter ${gpu.description}`;
    if (!insists && gpu.isSoftware) {
      return `the only WebGPU adapter is software (${gpu.description})`;
    }
    if (!insists && gpu.api === "OpenGL") {
      return `the only WebGPU adapter is OpenGL's (${gpu.description}), on which a step may take ` +
        `minutes to compile: ${VULKAN_HINT}, or take it with --device webgpu`;
    }
    const { createWebGpuEngine } = await import("./webgpu/engine.ts");
    const engine = await createWebGpuEngine();
    await (await import("./probe.ts")).probe(engine);
    const isSlow = gpu.api === "OpenGL"
      ? `, and OpenGL's adapter may take minutes to compile a step: ${VULKAN_HINT}`
      : "";
    const reason = insists ? "WebGPU was asked for" : "a hardware WebGPU adapter was found";
    return { engine, reason: reason + isSlow };
  } catch (error) {
    return `${name} fails: ${inOneLine(error)}`;
  }
}

/** An error of a driver may be a page of shader code. */
const MAX_REASON_LENGTH = 200;

/** What an error says, or what it says of its cause where that is the driver's. */
function inOneLine(error: unknown): string {
  const { message } = error instanceof UserError && error.cause instanceof Error
    ? error.cause
    : error instanceof Error
    ? error
    : new Error(String(error));
  const line = message.replaceAll(/\s+/g, " ").trim();
  return line.length > MAX_REASON_LENGTH ? `${line.slice(0, MAX_REASON_LENGTH)}...` : line;
}

async function openCpu({ threads }: OpenEngineOptions): Promise<Engine> {
  const { createOnnxEngine } = await import("./onnx/mod.ts");
  return await createOnnxEngine({ threads });
}
