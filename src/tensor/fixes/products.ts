/** The fixed gradient of a matrix product. */
import * as tf from "@tensorflow/tfjs"; // not through tf.ts, which calls this file
import { setGradient, sumToShape } from "./set_gradient.ts";

/** Products of batches: where one matrix serves a whole batch, its gradient is the sum over it. */
export function fixProducts(): void {
  setGradient("BatchMatMul", ["a", "b"], {
    a: (dy, [a, b], { transposeA, transposeB }) =>
      sumToShape(
        transposeA
          ? tf.matMul(b, dy, transposeB as boolean, true)
          : tf.matMul(dy, b, false, !transposeB),
        a,
      ),
    b: (dy, [a, b], { transposeA, transposeB }) =>
      sumToShape(
        transposeB
          ? tf.matMul(dy, a, true, transposeA as boolean)
          : tf.matMul(a, dy, !transposeA, false),
        b,
      ),
  });
}
