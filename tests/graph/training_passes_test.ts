import { assert, assertEquals } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { speedUp } from "../../src/graph/passes/training.ts";
import { traceFunction } from "../../src/graph/trace/trace.ts";
import { type Case, compare, normal } from "../export/support.ts";

type T4 = tf.Tensor4D;

/** A convolution of an enlarged image with both its gradients. */
function upsampledConvolution(factor: number, padding: number): Case["fn"] {
  return ({ x, w, b }) => {
    const pad: [number, number][] = [[0, 0], [padding, padding], [padding, padding], [0, 0]];
    const forward = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor) => {
      const size: [number, number] = [x.shape[1]! * factor, x.shape[2]! * factor];
      const large = tf.image.resizeNearestNeighbor(x as T4, size);
      return tf.add(tf.conv2d(large, w as T4, 1, pad as [number, number][] as never), b);
    };
    const y = forward(x, w, b);
    const [dx, dw, db] = tf.grads(forward)([x, w, b], normal(y.shape, 99));
    return { y, dx, dw, db };
  };
}

Deno.test("convolutions of enlarged images become transposed ones with the same values", async (t) => {
  for (const [kernel, factor, padding] of [[3, 2, 1], [3, 2, 0], [5, 2, 2], [3, 3, 1], [4, 2, 3]]) {
    await t.step(`kernel ${kernel}, factor ${factor}, padding ${padding}`, async () => {
      const inputs = {
        x: normal([2, 4, 5, 3], 1),
        w: normal([kernel, kernel, 3, 4], 2),
        b: normal([4], 3),
      };
      const fn = upsampledConvolution(factor, padding);
      const { difference, graph } = await compare({ fn, inputs }, speedUp);
      assert(difference < 2e-5, `differs by ${difference}`);
      const counts = graph.nodes.map(({ op }) => op);
      assert(!counts.includes("Resize") && !counts.includes("AveragePool"), counts.join());
      assertEquals(counts.filter((op) => op === "ConvTranspose").length, 1);
    });
  }
});

Deno.test("a 1x1 convolution of an enlarged image stays as it is", async () => {
  const inputs = { x: normal([2, 4, 5, 3], 1), w: normal([1, 1, 3, 4], 2), b: normal([4], 3) };
  const { difference, graph } = await compare(
    { fn: upsampledConvolution(2, 0), inputs },
    speedUp,
  );
  assert(difference < 1e-5, `differs by ${difference}`);
  assert(graph.nodes.some(({ op }) => op === "Resize"));
});

Deno.test("a bias becomes part of its convolution", async () => {
  const inputs = { x: normal([2, 6, 6, 3], 1), w: normal([3, 3, 3, 4], 2), b: normal([4], 3) };
  const fn: Case["fn"] = ({ x, w, b }) =>
    tf.relu(tf.add(tf.conv2d(x as T4, w as T4, 1, "same"), b));
  const { difference, graph } = await compare({ fn, inputs }, speedUp);
  assert(difference < 1e-5, `differs by ${difference}`);
  assert(!graph.nodes.some(({ op }) => op === "Add"), graph.nodes.map(({ op }) => op).join());
});

Deno.test("a dropout mask becomes a random input of its own, where nothing else reads the draws", () => {
  const specs = { x: { shape: [2, 3], dtype: "float32" as const } };
  const dropout = (x: tf.Tensor, draws: tf.Tensor) =>
    tf.mul(x, tf.mul(tf.cast(tf.greaterEqual(draws, 0.3), "float32"), 1 / 0.7));
  const graph = speedUp(traceFunction(({ x }, random) => {
    const [dx] = tf.grads((x) => tf.sum(tf.square(dropout(x, random.uniform([2, 3])))))([x]);
    return { dx };
  }, specs));
  assertEquals(graph.inputs[1].mask, { threshold: Math.fround(0.3), value: Math.fround(1 / 0.7) });
  assert(!graph.nodes.some(({ kernel }) => kernel === "GreaterEqual"));

  const readTwice = speedUp(traceFunction(({ x }, random) => {
    const draws = random.uniform([2, 3]);
    return { y: dropout(x, draws), draws };
  }, specs));
  assertEquals(readTwice.inputs[1].mask, undefined);
  assert(readTwice.nodes.some(({ kernel }) => kernel === "GreaterEqual"));
});
