/** First and second derivatives of every op that a discriminator may use, by finite differences, on every engine. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import { withoutTape } from "../../src/tensor/tape.ts";
import { tf } from "../../src/tensor/tf.ts";
import type { Engine } from "../../src/engine/types.ts";
import type { HostTensors, TensorFunction, TensorMap } from "../../src/tensor/types.ts";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../../src/engine/webgpu/engine.ts";
import { valueAndGradients } from "../../src/nn/mod.ts";
import { testOnBackends, uniformAt } from "../nn/golden.ts";

const webGpu = await openWebGpu();

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;

/** The half width of a central difference. Float32 rounding adds some 1e-5 to the quotients. */
const STEP = 1e-2;

/** Numbers with sizes in [0.2, 1.2) and either sign, so that a step does not cross a kink at 0. */
function awayFromZero(shape: number[], stream: number): Float32Array {
  return uniformAt(shape, stream, 0, -0.5).map((u) => 2 * u + (u < 0 ? -0.2 : 0.2));
}

/** What an engine makes of an op at one point: its loss, the gradients, and their change along a direction. */
interface Evaluation {
  loss: number;
  gradients: Float32Array[];
  second: Float32Array[];
}

function weightedLoss(y: tf.Tensor): tf.Scalar {
  const weights = tf.tensor(uniformAt(y.shape, 90, 0, 0.5), y.shape);
  return tf.sum(tf.mul(weights, tf.add(y, tf.mul(0.5, tf.square(y)))));
}

/**
 * L = sum(w y + w y^2 / 2) of an op's result `y`, its gradients, and the second derivative times a
 * direction: inputs `x0`, `x1`, ... and `along0`, `along1`, ..., as a function that any engine can compile.
 */
function derivatives(op: Op, count: number): TensorFunction {
  const numbers = Array.from({ length: count }, (_, k) => k);
  return (inputs) => {
    const leaves = Object.fromEntries(numbers.map((k) => [`x${k}`, inputs[`x${k}`]]));
    const first = valueAndGradients(
      (xs) => ({ loss: weightedLoss(op(...Object.values(xs))), aux: {} }),
      leaves,
    );
    const second = valueAndGradients((xs) => {
      const gradients = tf.grads((...args: tf.Tensor[]) => weightedLoss(op(...args)))(
        Object.values(xs),
      );
      const products = gradients.map((g, k) => tf.sum(tf.mul(g, inputs[`along${k}`])));
      return { loss: tf.addN(products) as tf.Scalar, aux: {} };
    }, leaves);
    const named = (prefix: string, grads: TensorMap): [string, tf.Tensor][] =>
      numbers.map((k) => [`${prefix}${k}`, grads[`x${k}`]]);
    return Object.fromEntries([
      ["loss", first.loss],
      ...named("gradient", first.grads),
      ...named("second", second.grads),
    ]);
  };
}

function assertNear(actual: Float32Array, expected: Float32Array, what: string): void {
  const scale = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
  expected.forEach((value, i) =>
    assert(
      Math.abs(actual[i] - value) <= 2e-3 * scale,
      `${what}: entry ${i} is ${actual[i]}, differences give ${value} (scale ${scale})`,
    )
  );
}

/** Checks an op's gradients, and the gradients of those, at one point along one direction. */
async function checkDerivatives(engine: Engine, op: Op, shapes: number[][]): Promise<void> {
  const values = shapes.map((shape, k) => awayFromZero(shape, k));
  const along = shapes.map((shape, k) => uniformAt(shape, 50 + k, 0, -0.5));
  const tensors = (name: string, all: Float32Array[]): HostTensors =>
    Object.fromEntries(
      all.map((data, k) => [`${name}${k}`, { shape: shapes[k], dtype: "float32", data }]),
    );
  const specs = { ...tensors("x", values), ...tensors("along", along) };
  const compiled = await engine.compileFunction(derivatives(op, shapes.length), specs);
  const evaluate = async (by: number): Promise<Evaluation> => {
    const moved = values.map((array, k) => array.map((value, i) => value + by * along[k][i]));
    const found = await compiled.run({ ...tensors("x", moved), ...tensors("along", along) });
    const all = (name: string) => shapes.map((_, k) => found[`${name}${k}`].data as Float32Array);
    return { loss: found.loss.data[0], gradients: all("gradient"), second: all("second") };
  };
  const { gradients, second } = await evaluate(0);
  const ahead = await evaluate(STEP);
  const behind = await evaluate(-STEP);
  await compiled.dispose();
  const directional = gradients.reduce(
    (sum, g, k) => sum + g.reduce((part, value, i) => part + value * along[k][i], 0),
    0,
  );
  assertNear(
    Float32Array.of(directional),
    Float32Array.of((ahead.loss - behind.loss) / (2 * STEP)),
    "derivative along a direction",
  );
  second.forEach((actual, k) =>
    assertNear(
      actual,
      ahead.gradients[k].map((value, i) => (value - behind.gradients[k][i]) / (2 * STEP)),
      `second derivative, input ${k}`,
    )
  );
}

/** The reference on both of its backends, the captured WebGPU step's engine, and the traced CPU step's. */
const ENGINES: Record<string, { open: () => Engine | Promise<Engine>; needsAdapter: boolean }> = {
  "eager, cpu": { open: () => createEagerEngine("cpu", ""), needsAdapter: false },
  "eager, webgpu": { open: () => createEagerEngine("webgpu", ""), needsAdapter: true },
  "captured on webgpu": { open: () => createWebGpuEngine(), needsAdapter: true },
  "traced for the CPU": { open: () => createOnnxEngine({ threads: 1 }), needsAdapter: false },
};

function testOnEngines(name: string, op: Op, shapes: number[][]): void {
  for (const [engineName, { open, needsAdapter }] of Object.entries(ENGINES)) {
    const ignore = needsAdapter && webGpu === undefined;
    Deno.test({
      name: `${name} (${engineName}${ignore ? ": no adapter" : ""})`,
      ignore,
      async fn() {
        await checkDerivatives(await open(), op, shapes);
        webGpu?.check();
      },
    });
  }
}

const images = [2, 4, 6, 3];
const pads: [[number, number], [number, number], [number, number], [number, number]] = [
  [0, 0],
  [1, 2],
  [0, 1],
  [0, 0],
];
type Image = tf.Tensor4D;

const OPS: Record<string, [Op, ...number[][]]> = {
  "relu": [tf.relu, [3, 5]],
  "relu6": [(x) => tf.relu6(tf.mul(x, 5)), [3, 5]],
  "leakyRelu": [(x) => tf.leakyRelu(x, 0.2), [3, 5]],
  "abs": [tf.abs, [3, 5]],
  "exp": [tf.exp, [3, 5]],
  "log": [(x) => tf.log(tf.abs(x)), [3, 5]],
  "tanh": [tf.tanh, [3, 5]],
  "sigmoid": [tf.sigmoid, [3, 5]],
  "softplus": [tf.softplus, [3, 5]],
  "elu": [tf.elu, [3, 5]],
  "selu": [tf.selu, [3, 5]],
  "erf": [tf.erf, [3, 5]],
  "sqrt": [(x) => tf.sqrt(tf.abs(x)), [3, 5]],
  "rsqrt": [(x) => tf.rsqrt(tf.abs(x)), [3, 5]],
  "pow": [(x) => tf.pow(tf.abs(x), 3), [3, 5]],
  "softmax": [(x) => tf.softmax(x), [3, 5]],
  "clipByValue": [(x) => tf.clipByValue(tf.square(x), 0.2, 4), [3, 5]],
  "sum": [(x) => tf.square(tf.sum(x, [0, 2])), [3, 4, 2]],
  "sum of all, kept": [(x) => tf.square(tf.sum(x, undefined, true)), [3, 4]],
  "mean": [(x) => tf.square(tf.mean(x, -1)), [3, 4, 2]],
  "max": [(x) => tf.square(tf.max(x, 1)), [3, 4, 2]],
  "min": [(x) => tf.square(tf.min(x, [0, 2])), [3, 4, 2]],
  "tile": [(x) => tf.square(tf.tile(x, [2, 1, 3])), [2, 3, 1]],
  "tile of longer axes": [(x) => tf.square(tf.tile(x, [3, 2])), [2, 3]],
  "maximum": [tf.maximum, [3, 4], [3, 4]],
  "maximum, broadcast": [(a, b) => tf.maximum(tf.mul(a, 2), b), [3, 4], [4]],
  "minimum, broadcast": [tf.minimum, [3, 1], [3, 4]],
  "squaredDifference, broadcast": [tf.squaredDifference, [3, 4], [1, 4]],
  "where": [(a, b) => tf.where(tf.greater(a, b), tf.square(a), tf.exp(b)), [3, 4], [3, 4]],
  "where less": [(a, b) => tf.where(tf.less(a, b), tf.square(a), tf.exp(b)), [3, 4], [3, 4]],
  "where lessEqual, not": [
    (a, b) => tf.where(tf.logicalNot(tf.lessEqual(a, b)), tf.square(a), tf.exp(b)),
    [3, 4],
    [3, 4],
  ],
  "where greaterEqual and less": [
    (a, b) =>
      tf.where(
        tf.logicalAnd(tf.greaterEqual(a, b), tf.less(a, 1)),
        tf.square(a),
        tf.exp(b),
      ),
    [3, 4],
    [3, 4],
  ],
  "where equal or notEqual": [
    (a, b) =>
      tf.where(
        tf.logicalOr(tf.equal(a, b), tf.notEqual(a, tf.abs(a))),
        tf.square(a),
        tf.exp(b),
      ),
    [3, 4],
    [3, 4],
  ],
  "add and div, broadcast": [(a, b) => tf.div(tf.add(a, 3), tf.add(tf.abs(b), 1)), [3, 4], [4]],
  "matMul": [(a, b) => tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D), [3, 4], [4, 2]],
  "matMul, both transposed": [
    (a, b) => tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, true, true),
    [4, 3],
    [2, 4],
  ],
  "matMul of a batch": [
    (a, b) => tf.matMul(a as tf.Tensor3D, b as tf.Tensor3D, false, true),
    [2, 3, 4],
    [2, 5, 4],
  ],
  "matMul of a batch with one matrix": [(a, b) => tf.matMul(a, b), [3, 2, 4], [4, 5]],
  "matMul of one matrix with a batch, transposed": [
    (a, b) => tf.matMul(a, b, true, true),
    [1, 4, 2],
    [3, 5, 4],
  ],
  "matMul of a batch with one, transposed": [
    (a, b) => tf.matMul(a, b, false, true),
    [3, 2, 4],
    [1, 5, 4],
  ],
  "conv2d": [(x, w) => tf.conv2d(x as Image, w as Image, 1, "valid"), images, [3, 3, 3, 2]],
  "conv2d, stride 2, padded": [
    (x, w) => tf.conv2d(x as Image, w as Image, 2, pads),
    images,
    [3, 3, 3, 2],
  ],
  "conv2dTranspose": [
    (x, w) => tf.conv2dTranspose(x as Image, w as Image, [2, 9, 13, 2], 2, "valid"),
    images,
    [3, 3, 2, 3],
  ],
  "depthwiseConv2d": [
    (x, w) => tf.depthwiseConv2d(x as Image, w as Image, 1, pads),
    images,
    [3, 3, 3, 2],
  ],
  "avgPool": [(x) => tf.avgPool(x as Image, 2, 2, "valid"), images],
  "resizeNearestNeighbor": [
    (x) => tf.square(tf.image.resizeNearestNeighbor(x as Image, [8, 18])),
    images,
  ],
  "pad": [(x) => tf.square(tf.pad(x, [[1, 0], [0, 2]])), [3, 4]],
  "concat": [(a, b) => tf.square(tf.concat([a, b], 1)), [3, 4], [3, 2]],
  "split": [(x) => tf.mul(...tf.split(x, 2, 1) as [tf.Tensor, tf.Tensor]), [3, 4]],
  "slice": [(x) => tf.square(tf.slice(x, [1, 0], [2, 3])), [3, 4]],
  "transpose": [(x) => tf.square(tf.transpose(x, [2, 0, 1])), [3, 4, 2]],
};

for (const [name, [op, ...shapes]] of Object.entries(OPS)) {
  testOnEngines(`first and second derivatives are right: ${name}`, op, shapes);
}

/** A gradient with respect to a filter, differentiated: a penalty on the norm of the gradient of the weights. */
for (const depthwise of [false, true]) {
  const name = depthwise ? "depthwise convolution" : "convolution";
  const op: Op = (x, w) => {
    const output = (filter: tf.Tensor): tf.Tensor =>
      depthwise
        ? tf.depthwiseConv2d(x as Image, filter as Image, 1, "valid")
        : tf.conv2d(x as Image, filter as Image, 1, "valid");
    return tf.grad((filter: tf.Tensor) => tf.sum(tf.square(output(filter))))(w);
  };
  const shapes = [[1, 4, 4, 2], [2, 2, 2, depthwise ? 1 : 3]];
  testOnEngines(`the filter gradient of a ${name} can be differentiated`, op, shapes);
}

testOnBackends("derivatives of elu and selu stay finite where exp(x) does not", async () => {
  for (const [op, derivative] of [[tf.elu, 1], [tf.selu, 1.0507009873554805]] as const) {
    const values = Float32Array.of(100, -100, 200);
    const [first, second] = await Promise.all(
      tf.tidy(() => {
        const x = tf.tensor(values);
        const { second0 } = derivatives(op, 1)({ x0: x, along0: tf.onesLike(x) });
        return [tf.grad((x: tf.Tensor) => tf.sum(op(x)))(x), second0];
      }).map(async (tensor) => Float32Array.from(await tensor.data())),
    );
    assertNear(first, Float32Array.of(derivative, 0, derivative), "derivative");
    assert(second.every(Number.isFinite), `second derivatives ${second}`);
  }
});

testOnBackends("equal values: maximum sends the gradient to its first argument", async () => {
  const [a, b] = tf.tidy(() => tf.grads(tf.maximum)([tf.tensor([1, 2]), tf.tensor([1, 3])]));
  assertEquals([...await a.data(), ...await b.data()], [1, 0, 0, 1]);
  tf.dispose([a, b]);
});

Deno.test("resizeNearestNeighbor by a broken factor has no gradient, and says so", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const gradient = tf.grad((x: tf.Tensor) => tf.image.resizeNearestNeighbor(x as Image, [5, 6]));
    assertThrows(
      () => gradient(tf.ones([1, 4, 6, 1])),
      RangeError,
      "from 4x6 to 5x6: only whole factors",
    );
  });
});

Deno.test("withoutTape() stops the gradient, nested and after an error too", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const x = tf.tensor([2, 3]);
    const constant = tf.grad((x: tf.Tensor) => tf.mul(x, withoutTape(() => tf.square(x))))(x);
    assertEquals([...constant.dataSync()], [4, 9]);
    assertThrows(
      () =>
        withoutTape(() => {
          throw new Error("inside");
        }),
      Error,
      "inside",
    );
    const full = tf.grad((x: tf.Tensor) => tf.mul(x, tf.square(x)))(x);
    assertEquals([...full.dataSync()], [12, 27]);
  });
});
