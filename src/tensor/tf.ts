/**
 * The one door to TensorFlow.js: `import { tf } from "./tf.ts"` everywhere, so that the
 * library is set up (quietly, in production mode, its gradients fixed) before anything uses it.
 */
import * as tf from "@tensorflow/tfjs";
import { installAllReduce } from "./all_reduce.ts";
import { installCpuKernels } from "./cpu_kernels.ts";
import { installGradientFixes } from "./gradient_fixes.ts";

tf.enableProdMode(); // no advice to install tfjs-node on the first cpu kernel
installGradientFixes();
installCpuKernels();
installAllReduce();

export { tf };
