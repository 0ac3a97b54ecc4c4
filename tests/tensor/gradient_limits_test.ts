/** What fixed gradients save, and what TensorFlow.js cannot differentiate and is kept from. */
import { assert, assertLessOrEqual, assertThrows } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { traceFunction } from "../../src/graph/trace/trace.ts";

type Op = (x: tf.Tensor) => tf.Tensor;
type Image = tf.Tensor4D;

/** The kernels of the second derivative of `sum(op(x)^2)`, and how many tensors of one number they read. */
function workOf(op: Op): { kernels: number; filled: number } {
  const gradient = (x: tf.Tensor) => tf.grad((x: tf.Tensor) => tf.sum(tf.square(op(x))))(x);
  const { nodes } = traceFunction(
    ({ x }) => ({ y: tf.grad((x: tf.Tensor) => tf.sum(tf.square(gradient(x))))(x) }),
    { x: { shape: [3, 5], dtype: "float32" } },
    { raw: true },
  );
  const filled = nodes.flatMap(({ inputs }) => Object.values(inputs))
    .filter(({ source, shape }) => source.kind === "fill" && tf.util.sizeFromShape(shape) > 1);
  return { kernels: nodes.length, filled: filled.length };
}

/** With TensorFlow.js's own gradient each of these has more of the one or the other. */
const WORK: Record<string, [op: Op, kernels: number, filled: number]> = {
  relu: [tf.relu, 20, 3],
  relu6: [tf.relu6, 28, 3],
  leakyRelu: [(x) => tf.leakyRelu(x, 0.2), 20, 3],
  abs: [tf.abs, 22, 3],
  clipByValue: [(x) => tf.clipByValue(x, -1, 1), 26, 3],
  where: [(x) => tf.where(tf.greater(x, 0.5), tf.square(x), x), 55, 5],
  max: [(x) => tf.max(x, 1), 29, 3],
  min: [(x) => tf.min(x, 1), 29, 3],
  tile: [(x) => tf.tile(x, [3, 2]), 24, 3],
  sum: [(x) => tf.sum(x, 1), 22, 3],
  mean: [(x) => tf.mean(x, 1), 25, 3],
};

for (const [name, [op, kernels, filled]] of Object.entries(WORK)) {
  Deno.test(`second derivatives of ${name} do no work on masks, and need no ones from the host`, async () => {
    await tf.setBackend("cpu");
    const work = workOf(op);
    assertLessOrEqual(work.kernels, kernels);
    assertLessOrEqual(work.filled, filled);
  });
}

Deno.test("what has no gradient throws, rather than to give a wrong one", async () => {
  await tf.setBackend("cpu");
  const gradient = (op: Op) => (x: tf.Tensor) =>
    tf.grad((x: tf.Tensor) => tf.sum(tf.square(op(x))))(x);
  const twice = (op: Op) => gradient(gradient(op));
  const image = tf.ones([1, 4, 4, 2]);
  const matrix = tf.ones([3, 3]);
  assertThrows(() => gradient((x) => tf.einsum("ij,jk->ik", x, x))(matrix), Error, "Einsum");
  assertThrows(() => gradient((x) => tf.batchNorm(x, tf.zeros([3]), tf.ones([3])))(matrix));
  assertThrows(
    () => twice((x) => tf.maxPool(x as Image, 2, 2, "valid"))(image),
    Error,
    "MaxPoolGrad",
  );
  assertThrows(
    () => twice((x) => tf.image.resizeBilinear(x as Image, [8, 8]))(image),
    Error,
    "ResizeBilinearGrad",
  );
  tf.dispose([image, matrix]);
});

Deno.test("layers and objectives keep off logSoftmax, whose second derivative is wrong", async () => {
  for (const room of ["nn", "objectives"]) {
    for await (const path of sources(new URL(`../../src/${room}/`, import.meta.url))) {
      const text = await Deno.readTextFile(path);
      assert(!/logSoftmax|softmaxCrossEntropy/.test(text), path.pathname);
    }
  }
});

/** The TypeScript files in a folder and its folders. */
async function* sources(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}
