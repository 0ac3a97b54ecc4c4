/** Registers all of our kernels for the backend "webgpu". */
import { registerAllReduce } from "./all_reduce.ts";
import { registerConvKernels } from "./conv.ts";
import { registerCumulativeKernels } from "./cumulative.ts";
import { registerElementwiseKernels } from "./elementwise.ts";
import { registerMatmulKernels } from "./matmul.ts";
import { registerReductionKernels } from "./reduce.ts";
import { registerViewKernels } from "./views.ts";

/** Puts our kernels in front of TensorFlow.js's. Calling it again changes nothing. */
export function registerOwnKernels(): void {
  registerElementwiseKernels();
  registerMatmulKernels();
  registerConvKernels();
  registerReductionKernels();
  registerViewKernels();
  registerCumulativeKernels();
  registerAllReduce();
}
