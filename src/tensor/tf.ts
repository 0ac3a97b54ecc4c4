/**
 * The one door to TensorFlow.js: `import { tf } from "./tf.ts"` everywhere, so that the
 * library is set up (quietly, in production mode, its gradients mended) before anything uses it.
 */
import * as tf from "@tensorflow/tfjs";
import { installCpuKernels } from "./cpu_kernels.ts";
import { installGradientMends } from "./gradient_fixes.ts";

tf.enableProdMode(); // no advice to install tfjs-node on the first cpu kernel
installGradientMends();
installCpuKernels();

export { tf };
