import { assertAlmostEquals, assertEquals } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { uniformAt } from "../nn/golden.ts";

type Shape = [number, number, number, number];
const PADS: [[number, number], [number, number], [number, number], [number, number]] = [
  [0, 0],
  [2, 0],
  [1, 3],
  [0, 0],
];

function dot(a: tf.Tensor, b: tf.Tensor): number {
  return tf.sum(tf.mul(a, b)).dataSync()[0];
}

for (const stride of [1, 2, 3]) {
  for (const pad of ["valid", "same", PADS] as const) {
    Deno.test(`the cpu filter gradient is the adjoint of conv2d: stride ${stride}, pad ${pad}`, async () => {
      await tf.setBackend("cpu");
      tf.tidy(() => {
        const xShape: Shape = [3, 7, 6, 2];
        const filterShape: Shape = [3, 2, 2, 4];
        const x = tf.tensor4d(uniformAt(xShape, 0, 0, -0.5), xShape);
        const filter = tf.tensor4d(uniformAt(filterShape, 1, 0, -0.5), filterShape);
        const y = tf.conv2d(x, filter, stride, pad);
        const dy = tf.tensor(uniformAt(y.shape, 2, 0, -0.5), y.shape);
        const gradient = tf.engine().runKernel("Conv2DBackpropFilter", { x, dy }, {
          strides: [stride, stride],
          pad,
          dataFormat: "NHWC",
          filterShape,
        } as unknown as tf.NamedAttrMap) as tf.Tensor;
        assertEquals(gradient.shape, filterShape);
        assertAlmostEquals(dot(dy, y), dot(filter, gradient), 1e-5);
      });
    });
  }
}
