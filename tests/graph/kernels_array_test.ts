import { assert } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { type Case, compare, normal } from "../export/support.ts";

const x4 = () => ({ x: normal([2, 3, 4, 6]) });
const labels = () => tf.tensor([2, 0, 3, 2, 1], [5], "int32");

function numbered(tensors: tf.Tensor[]): tf.NamedTensorMap {
  return Object.fromEntries(tensors.map((tensor, index) => [`y${index}`, tensor]));
}

/** Each runs as it is, and behind a convolution, where images lie in memory as NCHW. */
const CASES: Record<string, Case> = {
  reshape: { fn: ({ x }) => tf.reshape(x, [6, 4, 6]), inputs: x4() },
  reshapeFlat: { fn: ({ x }) => tf.reshape(x, [2, 72]), inputs: x4() },
  reshapeGroups: { fn: ({ x }) => tf.sum(tf.reshape(x, [2, 3, 4, 2, 3]), [1, 2, 4]), inputs: x4() },
  expandDims: { fn: ({ x }) => tf.expandDims(x, -2), inputs: x4() },
  squeeze: { fn: ({ x }) => tf.squeeze(tf.slice(x, [0, 1, 0, 0], [2, 1, 4, 6])), inputs: x4() },
  transpose: { fn: ({ x }) => tf.transpose(x, [2, 0, 3, 1]), inputs: x4() },
  tile: { fn: ({ x }) => tf.tile(x, [1, 2, 1, 3]), inputs: x4() },
  tileUnit: { fn: ({ x }) => tf.tile(tf.mean(x, [1, 2], true), [1, 5, 2, 1]), inputs: x4() },
  broadcastTo: {
    fn: ({ x }) => tf.broadcastTo(tf.mean(x, [0, 3], true), [2, 3, 4, 6]),
    inputs: x4(),
  },
  concat: { fn: ({ x }) => tf.concat([x, tf.neg(x), tf.ones([2, 3, 4, 1])], 3), inputs: x4() },
  stack: { fn: ({ x }) => tf.stack([x, tf.square(x)], 2), inputs: x4() },
  unstack: { fn: ({ x }) => numbered(tf.unstack(x, 2)), inputs: x4() },
  split: { fn: ({ x }) => numbered(tf.split(x, [1, 3, 2], 3)), inputs: x4() },
  splitEven: { fn: ({ x }) => numbered(tf.split(x, 2, -1)), inputs: x4() },
  slice: { fn: ({ x }) => tf.slice(x, [1, 0, 2, 1], [1, -1, 2, 4]), inputs: x4() },
  sliceBroadcast: {
    fn: ({ x }) =>
      tf.slice(tf.tile(tf.mean(x, [1], true), [1, 5, 1, 1]), [0, 2, 1, 0], [2, 3, 2, 6]),
    inputs: x4(),
  },
  stridedSlice: {
    fn: ({ x }) => ({
      forward: tf.stridedSlice(x, [0, 0, 1, 0], [2, 3, 4, 6], [1, 2, 2, 3]),
      backward: tf.stridedSlice(x, [0, 2, 3, 0], [2, 0, 0, 6], [1, -1, -2, 1]),
    }),
    inputs: x4(),
  },
  reverse: { fn: ({ x }) => tf.reverse(x, [1, 3]), inputs: x4() },
  pad: { fn: ({ x }) => tf.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]], 0.5), inputs: x4() },
  mirrorPadReflect: {
    fn: ({ x }) => tf.mirrorPad(x, [[0, 0], [1, 2], [2, 1], [0, 0]], "reflect"),
    inputs: x4(),
  },
  mirrorPadSymmetric: {
    fn: ({ x }) => tf.mirrorPad(x, [[0, 0], [1, 2], [2, 1], [0, 0]], "symmetric"),
    inputs: x4(),
  },
  gather: {
    fn: ({ x, i }) => tf.gather(x, i, 2),
    inputs: { ...x4(), i: tf.tensor([3, 0, 2], [3], "int32") },
  },
  gatherRows: {
    fn: ({ x, i }) => tf.gather(x, i),
    inputs: { x: normal([4, 3]), i: labels() },
  },
  flipLeftRight: { fn: ({ x }) => tf.image.flipLeftRight(x as tf.Tensor4D), inputs: x4() },
  gatherNd: {
    fn: ({ x, i }) => tf.gatherND(x, i),
    inputs: { x: normal([3, 4, 2]), i: tf.tensor([0, 3, 2, 1, 2, 0], [3, 2], "int32") },
  },
  scatterNd: {
    fn: ({ x, i }) => tf.scatterND(i, x, [5, 4]),
    inputs: { x: normal([3, 4]), i: tf.tensor([1, 4, 1], [3, 1], "int32") },
    since: 16,
  },
  gatherBatched: {
    fn: ({ x, i }) => tf.gather(x, i, 1, 1),
    inputs: { ...x4(), i: tf.tensor([2, 0, 1, 1], [2, 2], "int32") },
  },
  tensorScatterUpdate: {
    fn: ({ x, i }) => tf.tensorScatterUpdate(tf.ones([5, 4]), i, x),
    inputs: { x: normal([3, 4]), i: tf.tensor([1, 4, 0], [3, 1], "int32") },
  },
  sparseToDense: {
    fn: ({ x, i, j, one }) => ({
      row: tf.sparseToDense(j, x, [7], tf.scalar(0.5)),
      table: tf.sparseToDense(i, x, [3, 4], tf.scalar(0)),
      same: tf.sparseToDense(i, one, [3, 4], tf.scalar(-1)),
    }),
    inputs: {
      x: normal([3]),
      i: tf.tensor([0, 3, 2, 1, 2, 0], [3, 2], "int32"),
      j: tf.tensor([5, 0, 2], [3], "int32"),
      one: tf.scalar(2),
    },
  },
  diag: {
    fn: ({ x, i }) => ({ vector: tf.diag(tf.sum(x, [0, 1, 2])), whole: tf.diag(i) }),
    inputs: { ...x4(), i: tf.tensor([1, 2, 3, 4], [2, 2], "int32") },
  },
  spaceToBatch: {
    fn: ({ x }) => tf.spaceToBatchND(x, [2, 3], [[1, 0], [1, 1]]),
    inputs: x4(),
  },
  batchToSpace: {
    fn: ({ x }) => tf.batchToSpaceND(tf.tile(x, [3, 1, 1, 1]), [2, 3], [[1, 0], [0, 2]]),
    inputs: x4(),
  },
  blocksOfChannels: {
    fn: ({ x }) => tf.spaceToBatchND(x, [1, 2, 3], [[0, 0], [0, 0], [2, 1]]),
    inputs: x4(),
  },
  dilatedPool: {
    fn: ({ x }) => tf.pool(x as tf.Tensor4D, [2, 2], "avg", "valid", [2, 1]),
    inputs: x4(),
  },
  topK: {
    fn: ({ x }) => {
      const { values, indices } = tf.topk(x, 3);
      return { values, indices };
    },
    inputs: x4(),
  },
  range: {
    fn: ({ x }) => ({
      up: tf.add(x, tf.range(0, 6)),
      down: tf.add(x, tf.range(6, 0, -1)),
      spread: tf.mul(x, tf.linspace(-1, 1, 6)),
    }),
    inputs: x4(),
  },
  localResponseNormalization: {
    fn: ({ x }) => tf.localResponseNormalization(x as tf.Tensor4D, 2, 1.5, 0.3, 0.7),
    inputs: x4(),
  },
  oneHot: { fn: ({ i }) => tf.oneHot(i, 4), inputs: { i: labels() } },
  oneHotValues: {
    fn: ({ i }) => tf.oneHot(i, 4, 0.9, 0.1, "float32"),
    inputs: { i: labels() },
  },
  unsortedSegmentSum: {
    fn: ({ x, i }) => tf.unsortedSegmentSum(x, i as tf.Tensor1D, 6),
    inputs: { x: normal([5, 2, 3]), i: labels() },
    since: 16,
  },
  zerosLike: { fn: ({ x }) => tf.add(tf.zerosLike(x), tf.mul(tf.onesLike(x), 3)), inputs: x4() },
  sum: {
    fn: ({ x }) => ({ a: tf.sum(x), b: tf.sum(x, [1, 2]), c: tf.sum(x, -1, true) }),
    inputs: x4(),
  },
  sumBroadcast: {
    fn: ({ x }) => tf.sum(tf.tile(tf.mean(x, 1, true), [1, 5, 1, 1]), [1, 2]),
    inputs: x4(),
  },
  mean: { fn: ({ x }) => ({ a: tf.mean(x), b: tf.mean(x, [0, 1, 2]) }), inputs: x4() },
  max: { fn: ({ x }) => ({ a: tf.max(x, 3), b: tf.max(x, [1, 2], true) }), inputs: x4() },
  min: { fn: ({ x }) => ({ a: tf.min(x, 0), b: tf.min(x) }), inputs: x4() },
  prod: { fn: ({ x }) => tf.prod(x, [1, 3]), inputs: x4() },
  all: {
    fn: ({ x }) => ({ a: tf.all(tf.greater(x, -1), 3), b: tf.any(tf.greater(x, 1.5), [1, 2]) }),
    inputs: x4(),
  },
  argMax: { fn: ({ x }) => ({ a: tf.argMax(x, 3), b: tf.argMin(x, 1) }), inputs: x4() },
  cumsum: {
    fn: ({ x }) => ({ a: tf.cumsum(x, 1), b: tf.cumsum(x, 3, true, true) }),
    inputs: x4(),
  },
  cumprod: {
    fn: ({ x }) => ({
      rows: tf.cumprod(x, 1),
      channels: tf.cumprod(x, 3, true, true),
      back: tf.cumprod(x, 2, false, true),
      before: tf.cumprod(x, 2, true),
    }),
    inputs: x4(),
  },
  softmax: { fn: ({ x }) => tf.softmax(x), inputs: x4() },
  logSoftmax: { fn: ({ x }) => tf.logSoftmax(x), inputs: x4() },
  logSumExp: { fn: ({ x }) => tf.logSumExp(x, [1, 3]), inputs: x4() },
  moments: {
    fn: ({ x }) => {
      const { mean, variance } = tf.moments(x, [0, 1, 2]);
      return { mean, variance };
    },
    inputs: x4(),
  },
  norm: { fn: ({ x }) => tf.norm(x, "euclidean", [1, 2]), inputs: x4() },
  matMul: {
    fn: ({ a, b }) => ({
      nn: tf.matMul(a, b),
      tn: tf.matMul(tf.transpose(a), b, true),
      nt: tf.matMul(a, tf.transpose(b), false, true),
      tt: tf.matMul(a, b, false, false),
      gram: tf.matMul(a, a, true, false),
      outer: tf.matMul(a, a, false, true),
    }),
    inputs: { a: normal([5, 7], 1), b: normal([7, 3], 2) },
  },
  batchMatMul: {
    fn: ({ a, b }) => ({
      nn: tf.matMul(a, tf.transpose(b, [0, 2, 1])),
      nt: tf.matMul(a, b, false, true),
      tn: tf.matMul(a, a, true),
      broadcast: tf.matMul(a, tf.slice(b, [0, 0, 0], [1, 3, 7]), false, true),
    }),
    inputs: { a: normal([2, 5, 7], 1), b: normal([2, 3, 7], 2) },
  },
  einsum: {
    fn: ({ a, b }) => tf.einsum("bij,bkj->bik", a, b),
    inputs: { a: normal([2, 5, 7], 1), b: normal([2, 3, 7], 2) },
  },
};

Deno.test("kernels that move and combine elements give TensorFlow.js' values", async (t) => {
  for (const [name, { fn, inputs, since }] of Object.entries(CASES)) {
    await t.step(name, async () => {
      const { difference } = await compare({ fn, inputs, since });
      assert(difference < 3e-6, `${name} differs by ${difference}`);
    });
    if (inputs.x?.rank !== 4) continue;
    await t.step(`${name} behind a convolution`, async () => {
      const w = normal([1, 1, 6, 6], 9);
      const behind: Case["fn"] = (given) =>
        fn({ ...given, x: tf.conv2d(given.x as tf.Tensor4D, given.w as tf.Tensor4D, 1, "same") });
      const { difference } = await compare({ fn: behind, inputs: { ...inputs, w }, since });
      assert(difference < 2e-5, `${name} differs by ${difference}`);
    });
  }
});
