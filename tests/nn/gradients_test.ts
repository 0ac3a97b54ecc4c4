import { assertEquals } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { valueAndGradients } from "../../src/nn/mod.ts";
import { testOnBackends } from "./golden.ts";

testOnBackends(
  "valueAndGradients() gives the loss, its gradients, and what it is asked to keep",
  async () => {
    const before = tf.memory().numTensors;
    const params = { a: tf.tensor([1, 2]), unused: tf.tensor([[3]]) };
    const { loss, grads, aux } = valueAndGradients(({ a }) => {
      const square = tf.square(a);
      return { loss: tf.sum(square), aux: { square, a } };
    }, params);
    assertEquals((await loss.data())[0], 5);
    assertEquals([...await grads.a.data()], [2, 4]);
    assertEquals([...await grads.unused.data()], [0]);
    assertEquals(grads.unused.shape, [1, 1]);
    assertEquals([...await aux.square.data()], [1, 4]);
    tf.dispose([aux, loss, grads]);
    assertEquals([...await params.a.data()], [1, 2]); // aux.a was a copy
    tf.dispose(params);
    assertEquals(tf.memory().numTensors, before);
  },
);

testOnBackends("valueAndGradients() hands its results to the enclosing tidy", () => {
  const a = tf.tensor([1, 2]);
  const before = tf.memory().numTensors;
  tf.tidy(() => {
    valueAndGradients(({ a }) => {
      const loss: tf.Scalar = tf.sum(tf.exp(a));
      return { loss, aux: { loss } };
    }, { a });
  });
  assertEquals(tf.memory().numTensors, before);
  a.dispose();
});

testOnBackends(
  "valueAndGradients() inside another one leaks nothing and is differentiated",
  async () => {
    const before = tf.memory().numTensors;
    const x = tf.tensor([0.5, -2]);
    const { loss, grads, aux } = valueAndGradients(({ x }) => {
      const inner = valueAndGradients(({ x }) => ({
        loss: tf.sum(tf.pow(x, 3)),
        aux: { cube: tf.pow(x, 3) },
      }), { x });
      return { loss: tf.sum(inner.grads.x), aux: inner.aux };
    }, { x });
    assertEquals((await loss.data())[0], 3 * 0.25 + 3 * 4);
    assertEquals([...await grads.x.data()], [3, -12]);
    assertEquals([...await aux.cube.data()], [0.125, -8]);
    tf.dispose([loss, grads, aux, x]);
    assertEquals(tf.memory().numTensors, before);
  },
);

testOnBackends(
  "valueAndGradients() keeps the structure of aux, fields that are absent too",
  async () => {
    const before = tf.memory().numTensors;
    const a = tf.tensor([1, 2]);
    const { loss, grads, aux } = valueAndGradients(({ a }) => ({
      loss: tf.sum(a) as tf.Scalar,
      aux: { logits: { real: tf.neg(a), fake: a }, penalty: undefined, scalars: {} },
    }), { a });
    assertEquals([...await aux.logits.real.data()], [-1, -2]);
    assertEquals([...await aux.logits.fake.data()], [1, 2]);
    assertEquals([Object.keys(aux), aux.penalty], [["logits", "penalty", "scalars"], undefined]);
    tf.dispose([loss, grads, aux.logits, a]);
    assertEquals(tf.memory().numTensors, before);
  },
);
