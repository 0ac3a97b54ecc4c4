/** How our kernels take the place of TensorFlow.js's for the backend "webgpu". */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../../tensor/tf.ts";
import type { GanforgeWebGpuBackend } from "../backend.ts";

/** What a kernel gets. */
export interface KernelCall {
  /** Tensors by TensorFlow.js's names; optional ones may be missing. */
  inputs: Record<string, tfTypes.TensorInfo>;
  /** Everything else, by TensorFlow.js's names. */
  attrs: Record<string, unknown>;
  /** Where it runs. */
  backend: GanforgeWebGpuBackend;
}

/** A kernel of ours: undefined hands the call to TensorFlow.js's own kernel. */
export type OwnKernel = (
  call: KernelCall,
) => tfTypes.TensorInfo | tfTypes.TensorInfo[] | undefined;

const replaced = new Map<string, tfTypes.KernelConfig>();

/** Puts `own` in front of the stock kernel `name`. Once for each name. */
export function replaceKernel(name: string, own: OwnKernel): void {
  if (replaced.has(name)) return;
  const stock = tf.getKernel(name, "webgpu");
  if (!stock) throw new Error(`TensorFlow.js has no webgpu kernel "${name}" to replace`);
  replaced.set(name, stock);
  tf.unregisterKernel(name, "webgpu");
  tf.registerKernel({
    ...stock,
    kernelFunc: (call) => own(call as unknown as KernelCall) ?? stock.kernelFunc(call),
  });
}

/** Registers a kernel that TensorFlow.js does not have. Once for each name. */
export function addKernel(name: string, own: (call: KernelCall) => tfTypes.TensorInfo): void {
  if (tf.getKernel(name, "webgpu")) return;
  tf.registerKernel({
    kernelName: name,
    backendName: "webgpu",
    kernelFunc: (call) => own(call as unknown as KernelCall),
  });
}

/** The names of the kernels that have been replaced, so that tests can ask for each of them. */
export function replacedKernels(): string[] {
  return [...replaced.keys()];
}
