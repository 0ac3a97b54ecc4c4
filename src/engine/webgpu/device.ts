/**
 * The WebGPU device that the project owns: how it is chosen, what it is called, and how its errors
 * reach the program. Without this, WebGPU is silent: a shader that does not compile, a binding that
 * does not fit or a buffer that is too big leaves zeros behind and the run goes on.
 */
import { DeviceLostError, UserError } from "../../errors.ts";
import { tf } from "../../tensor/tf.ts";
import { findAdapter, type GraphicsApi } from "./adapter.ts";
import { GanforgeWebGpuBackend } from "./backend.ts";
import { GPU_TUNING, SOFTWARE_TUNING } from "./tuning.ts";

/** An open device, registered as TensorFlow.js's backend "webgpu". */
export interface WebGpu {
  /** The device, with all of the adapter's limits. */
  device: GPUDevice;
  /** What the adapter says of itself. */
  adapterInfo: GPUAdapterInfo;
  /** True when the adapter computes on the CPU (llvmpipe, SwiftShader, ...). */
  isSoftware: boolean;
  /** What WebGPU reaches the adapter through. */
  api: GraphicsApi;
  /**
   * For the person at the terminal:
   * "llvmpipe (LLVM 15.0.6, 256 bits) through Vulkan, software adapter".
   */
  description: string;
  /**
   * Throws what the device reported since the last check: the first error of the driver, or the loss
   * of the device. The driver reports late, so await some work of the queue before checking.
   * @throws {DeviceLostError} when the device is lost
   * @throws {UserError} when the driver reported an error
   */
  check(): void;
}

/** Features that some of our kernels or measurements use when the adapter has them. */
const WANTED_FEATURES = ["shader-f16", "timestamp-query"] as const;

/** Limits in which a device would otherwise get the specification's small defaults. */
const WANTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const;

// Importing the backend package registers a "webgpu" backend of its own, as the default, whose device
// has small limits and no error listener. Ours takes the name, and only when it has been opened.
if (tf.findBackendFactory("webgpu")) tf.removeBackend("webgpu");

let opened: Promise<WebGpu | undefined> | undefined;

/**
 * Opens the adapter that adapter.ts finds with all of its limits, and registers it as the TensorFlow.js
 * backend "webgpu" (without making that the current backend). The device is opened once; later calls
 * return the same one, or open a new one after the device was lost.
 * @returns undefined where there is no adapter: no `navigator.gpu`, or `requestAdapter()` gave null
 */
export function openWebGpu(): Promise<WebGpu | undefined> {
  opened ??= open().catch((error) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

async function open(): Promise<WebGpu | undefined> {
  const gpu: GPU | undefined = globalThis.navigator?.gpu;
  if (!gpu) return undefined;
  const found = await findAdapter(gpu);
  if (!found) return undefined;
  const { adapter, api } = found;
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) {
    const limit = adapter.limits[name];
    if (limit !== undefined) requiredLimits[name] = limit;
  }
  const device = await adapter.requestDevice({
    requiredFeatures: WANTED_FEATURES.filter((name) => adapter.features.has(name)),
    requiredLimits,
  });
  const adapterInfo = adapter.info;
  const isSoftware = adapterInfo.isFallbackAdapter ||
    /llvmpipe|lavapipe|swiftshader|software|basic render/i.test(adapterInfo.description);
  const errors = new DeviceErrors(device);
  const backend = new GanforgeWebGpuBackend(device, adapterInfo, {
    tuning: isSoftware ? SOFTWARE_TUNING : GPU_TUNING,
    check: () => errors.check(),
  });
  device.lost.then(() => {
    opened = undefined;
  });
  tf.env().set("WEBGPU_CPU_FORWARD", false); // small tensors must not be computed on the host
  if (tf.findBackendFactory("webgpu")) tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => backend, 0); // priority 0: taken only when asked for
  const name = adapterInfo.description ||
    [adapterInfo.vendor, adapterInfo.architecture].filter(Boolean).join(" ") || "unnamed adapter";
  const reached = api === "unknown" ? name : `${name} through ${api}`;
  return {
    device,
    adapterInfo,
    isSoftware,
    api,
    description: isSoftware ? `${reached}, software adapter` : reached,
    check: () => errors.check(),
  };
}

/** Collects the errors that a device reports until {@linkcode DeviceErrors.check} throws them. */
class DeviceErrors {
  #first: string | undefined;
  #count = 0;
  #lost: string | undefined;

  constructor(device: GPUDevice) {
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      const { error } = event as GPUUncapturedErrorEvent;
      this.#first ??= `${error.constructor.name}: ${error.message.trim()}`;
      this.#count++;
    });
    device.lost.then((info) => {
      this.#lost = `the WebGPU device was lost (${info.reason}): ${info.message}`;
    });
  }

  check(): void {
    if (this.#lost) throw new DeviceLostError(`Cannot go on: ${this.#lost}`);
    if (!this.#first) return;
    const message = this.#count > 1 ? ` (the first of ${this.#count} errors)` : "";
    const first = this.#first;
    this.#first = undefined;
    this.#count = 0;
    throw new UserError(
      `Cannot go on: the WebGPU device reported an error${message}: ${first}; a newer driver may do ` +
        "without it, and --device cpu computes on the CPU",
      { cause: new Error(first) },
    );
  }
}
