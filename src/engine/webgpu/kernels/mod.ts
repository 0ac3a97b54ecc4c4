/** Registers all of our kernels for the backend "webgpu". */
import { registerConvKernels } from "./conv.ts";
import { registerElementwiseKernels } from "./elementwise.ts";
import { registerMatmulKernels } from "./matmul.ts";
import { registerReductionKernels } from "./reduce.ts";

/** Puts our kernels in front of TensorFlow.js's. Calling it again changes nothing. */
export function registerOwnKernels(): void {
  registerElementwiseKernels();
  registerMatmulKernels();
  registerConvKernels();
  registerReductionKernels();
}
