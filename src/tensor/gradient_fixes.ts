/**
 * Gradients that TensorFlow.js 4.22 has wrong or lacks, mostly second derivatives, which a gradient
 * penalty needs. They are replaced for every backend at once, in `fixes/`:
 *
 * - Gradients that use the op's saved *output* (tanh, sigmoid, exp, elu, softmax): the output is saved
 *   by a copy whose tape entry comes before the op's own, so a second derivative silently loses that
 *   path. There the input is saved and the output computed again.
 * - Gradients that use comparisons or kernels without a gradient of their own (leaky relu, maximum,
 *   max, average pool, resize, depthwise convolution) throw when they are differentiated. A mask is
 *   constant wherever it can be differentiated, so masks are computed off the tape.
 * - The gradients of sum and mean multiply by a tensor of ones made on the host, an upload each time;
 *   instead the gradient is repeated on the device.
 * - The gradients of maximum, minimum, squared difference and matrix products throw where an input was
 *   broadcast: they are summed over it.
 * - Rectifiers, choices, extremes and tiles have right gradients, whose own gradients do useless work on
 *   masks or copies.
 *
 * `tf.logSoftmax` has its gradient built in and cannot be fixed: do not differentiate it twice. What
 * throws and is not used here is left as it is: `tf.einsum`, `tf.batchNorm` without a scale, second
 * derivatives of max-pool and bilinear resize.
 *
 * `tests/tensor/gradient_fixes_test.ts` checks each against finite differences.
 */
import { fixActivations, fixComparisons } from "./fixes/elementwise.ts";
import { fixConvolutions, fixImages } from "./fixes/images.ts";
import { fixProducts } from "./fixes/products.ts";
import { fixReductions } from "./fixes/reductions.ts";

/** Puts all fixed gradients in place. Idempotent; called where TensorFlow.js is set up. */
export function installGradientFixes(): void {
  fixActivations();
  fixReductions();
  fixComparisons();
  fixImages();
  fixConvolutions();
  fixProducts();
}
