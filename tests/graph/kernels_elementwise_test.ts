import { assert } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { type Case, compare, normal } from "../export/support.ts";

type Unary = (x: tf.Tensor) => tf.Tensor;

const UNARY: Record<string, Unary> = {
  abs: tf.abs,
  acos: (x) => tf.acos(tf.tanh(x)),
  acosh: (x) => tf.acosh(tf.add(tf.abs(x), 1.1)),
  asin: (x) => tf.asin(tf.tanh(x)),
  asinh: tf.asinh,
  atan: tf.atan,
  atanh: (x) => tf.atanh(tf.mul(tf.tanh(x), 0.9)),
  ceil: tf.ceil,
  clipByValue: (x) => tf.clipByValue(x, -0.5, 0.7),
  cos: tf.cos,
  cosh: tf.cosh,
  elu: tf.elu,
  erf: tf.erf,
  exp: tf.exp,
  expm1: tf.expm1,
  floor: tf.floor,
  isFinite: (x) => tf.isFinite(tf.div(x, tf.relu(x))), // some 1, some -Infinity
  isFiniteNaN: (x) => tf.isFinite(tf.sqrt(x)),
  isInf: (x) => tf.isInf(tf.div(x, tf.relu(x))),
  isNaN: (x) => tf.isNaN(tf.sqrt(x)),
  leakyRelu: (x) => tf.leakyRelu(x, 0.2),
  log: (x) => tf.log(tf.abs(x)),
  log1p: (x) => tf.log1p(tf.abs(x)),
  logicalNot: (x) => tf.logicalNot(tf.greater(x, 0)),
  logSigmoid: (x) => tf.logSigmoid(x),
  neg: tf.neg,
  reciprocal: tf.reciprocal,
  relu: tf.relu,
  relu6: (x) => tf.relu6(tf.mul(x, 5)),
  round: (x) => tf.round(tf.mul(tf.round(tf.mul(x, 4)), 0.5)),
  rsqrt: (x) => tf.rsqrt(tf.abs(x)),
  selu: tf.selu,
  sigmoid: tf.sigmoid,
  sign: tf.sign,
  sin: tf.sin,
  sinh: tf.sinh,
  softplus: tf.softplus,
  sqrt: (x) => tf.sqrt(tf.abs(x)),
  square: tf.square,
  step: (x) => tf.step(x),
  stepAlpha: (x) => tf.step(x, 0.3),
  tan: tf.tan,
  tanh: tf.tanh,
  castInt: (x) => tf.cast(tf.mul(x, 10), "int32"),
  castBool: (x) => tf.cast(tf.floor(x), "bool"),
};

Deno.test("unary kernels give TensorFlow.js' values", async (t) => {
  for (const [name, fn] of Object.entries(UNARY)) {
    await t.step(name, async () => {
      const { difference } = await compare({
        fn: ({ x }) => fn(x),
        inputs: { x: normal([3, 11]) },
      });
      assert(difference < 3e-6, `${name} differs by ${difference}`);
    });
  }
});

const BINARY: Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  floorDiv: tf.floorDiv,
  maximum: tf.maximum,
  minimum: tf.minimum,
  mod: tf.mod,
  pow: (a, b) => tf.pow(tf.add(tf.abs(a), 0.1), b),
  squaredDifference: tf.squaredDifference,
  equal: (a, b) => tf.equal(tf.round(a), tf.round(b)),
  notEqual: (a, b) => tf.notEqual(tf.round(a), tf.round(b)),
  greater: tf.greater,
  greaterEqual: tf.greaterEqual,
  less: tf.less,
  lessEqual: tf.lessEqual,
  logicalAnd: (a, b) => tf.logicalAnd(tf.greater(a, 0), tf.greater(b, 0)),
  logicalOr: (a, b) => tf.logicalOr(tf.greater(a, 0), tf.greater(b, 0)),
  logicalXor: (a, b) => tf.logicalXor(tf.greater(a, 0), tf.greater(b, 0)),
  where: (a, b) => tf.where(tf.greater(a, 0), a, b),
  atan2: tf.atan2,
  atan2OnAxes: (a, b) => tf.atan2(tf.step(a), tf.sub(tf.step(b), 1)),
  atan2BelowAxes: (a, b) => tf.atan2(tf.sub(tf.step(a), 1), tf.step(b)),
  addN: (a, b) => tf.addN([tf.add(a, b), tf.sub(a, b), tf.mul(a, b)]),
};

Deno.test("binary kernels give TensorFlow.js' values for all ways to broadcast", async (t) => {
  const shapes: [number[], number[]][] = [
    [[2, 3, 4], [2, 3, 4]],
    [[2, 3, 4], [4]],
    [
      [2, 3, 4],
      [3, 1],
    ],
    [[2, 1, 4], [1, 3, 1]],
    [[2, 3], []],
  ];
  for (const [name, fn] of Object.entries(BINARY)) {
    await t.step(name, async () => {
      // One graph holds all broadcasts: sessions cost more than kernels.
      const inputs: Record<string, tf.Tensor> = {};
      shapes.forEach(([a, b], index) => {
        inputs[`a${index}`] = normal(a, 2 * index);
        inputs[`b${index}`] = normal(b, 2 * index + 1);
      });
      const all = (given: tf.NamedTensorMap) =>
        Object.fromEntries(
          shapes.map((_, index) => [`y${index}`, fn(given[`a${index}`], given[`b${index}`])]),
        );
      const { difference } = await compare({ fn: all as Case["fn"], inputs });
      assert(difference < 3e-6, `${name} differs by ${difference}`);
    });
  }
});

Deno.test("int32 arithmetic gives TensorFlow.js' values", async () => {
  const inputs = {
    a: tf.tensor([-7, 5, 9, 0], [4], "int32"),
    b: tf.tensor([2, -3, 4, 5], [4], "int32"),
  };
  const { difference } = await compare({
    inputs,
    fn: ({ a, b }) => ({
      sum: tf.add(a, b),
      difference: tf.sub(a, b),
      product: tf.mul(a, b),
      floorDiv: tf.floorDiv(a, b),
      mod: tf.mod(a, b),
      maximum: tf.maximum(a, b),
      minimum: tf.minimum(a, b),
      less: tf.less(a, b),
      equal: tf.equal(a, b),
      chosen: tf.where(tf.less(a, b), a, b),
      total: tf.sum(a),
      largest: tf.max(a),
      mean: tf.mean(a),
      floats: tf.cast(a, "float32"),
    }),
  });
  assert(difference < 1e-6, `differs by ${difference}`);
});

Deno.test("prelu and the fused activations give TensorFlow.js' values", async () => {
  for (const activation of ["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu"] as const) {
    const { difference } = await compare({
      inputs: { x: normal([5, 6], 1), w: normal([6, 4], 2), b: normal([4], 3), s: normal([4], 4) },
      fn: ({ x, w, b, s }) => ({
        dense: tf.fused.matMul({
          a: x as tf.Tensor2D,
          b: w as tf.Tensor2D,
          bias: b,
          activation,
          leakyreluAlpha: 0.3,
        }),
        prelu: tf.prelu(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), s),
      }),
    });
    assert(difference < 3e-6, `${activation} differs by ${difference}`);
  }
});
