/**
 * Each of our kernels, by both families of tiles, against TensorFlow.js's `cpu` backend with a NaN in
 * one number of one input after the other: it must reach the results that depend on it, and no others.
 * A convolution may multiply it by the zeros around the images, which gives a NaN too.
 */
import { assertEquals } from "@std/assert";
import { tf } from "../../../src/tensor/tf.ts";
import type { GanforgeWebGpuBackend } from "../../../src/engine/webgpu/backend.ts";
import { replacedKernels } from "../../../src/engine/webgpu/kernels/registry.ts";
import {
  assertClose,
  normals,
  type Plain,
  runOn,
  test,
  testByFamily,
  withWebGpu,
} from "./helpers.ts";

/** A call of a kernel. */
interface Call {
  /** The shape of each input, by TensorFlow.js's names. */
  inputs: Record<string, number[]>;
  attrs?: Record<string, unknown>;
  /** Inputs that take no NaN: booleans, and those of which only the shape counts. */
  whole?: string[];
}

/** Odd sizes, and sizes that kernels take by fours. */
const SHAPES = [[3, 5], [4, 8]];

const unary = (attrs?: Record<string, unknown>): Call[] =>
  SHAPES.map((shape) => ({ inputs: { x: shape }, attrs }));
const binary: Call[] = SHAPES.flatMap((shape) => [
  { inputs: { a: shape, b: shape } },
  { inputs: { a: shape, b: shape.slice(1) } },
]);
const logical: Call[] = SHAPES.map((shape) => ({
  inputs: { a: shape, b: shape },
  whole: ["a", "b"],
}));
const reduction: Call[] = SHAPES.flatMap((shape) =>
  [0, 1].map((axis) => ({
    inputs: { x: shape },
    attrs: { axis, reductionIndices: axis, keepDims: false },
  }))
);
const cumulative: Call[] = [false, true].flatMap((flag) =>
  unary({ axis: 1, exclusive: flag, reverse: flag })
);

/** Rows, terms and columns of products. */
const PRODUCTS = [[5, 7, 3], [8, 12, 16], [1, 9, 4], [36, 8, 132]];
const products: Call[] = PRODUCTS.flatMap(([m, k, n]) =>
  [false, true].flatMap((transposeA) =>
    [false, true].map((transposeB) => ({
      inputs: { a: transposeA ? [1, k, m] : [1, m, k], b: transposeB ? [1, n, k] : [1, k, n] },
      attrs: { transposeA, transposeB },
    }))
  )
);

/** Channels and filters of convolutions of 2 x 6 x 5, 3 x 3 by steps of 2, padded. */
const CONVOLUTIONS = [[3, 5], [4, 8]];
const geometry = {
  strides: [2, 2],
  pad: [[0, 0], [1, 1], [1, 1], [0, 0]],
  dataFormat: "NHWC",
  dilations: [1, 1],
};
const convolutions = (call: (channels: number, filters: number) => Call): Call[] =>
  CONVOLUTIONS.map(([channels, filters]) => {
    const { inputs, attrs, whole } = call(channels, filters);
    return { inputs, attrs: { ...geometry, ...attrs }, whole };
  });

const CASES: Record<string, Call[]> = {
  ...Object.fromEntries(
    ["Neg", "Abs", "Square", "Sqrt", "Rsqrt", "Reciprocal", "Exp", "Expm1", "Log", "Floor"]
      .map((name) => [name, unary()]),
  ),
  ...Object.fromEntries(
    ["Sign", "Tanh", "Sigmoid", "Softplus", "Relu", "Relu6", "Elu", "Selu", "ZerosLike", "OnesLike"]
      .map((name) => [name, unary()]),
  ),
  ...Object.fromEntries(
    ["Add", "Sub", "Multiply", "RealDiv", "Maximum", "Minimum", "Pow", "SquaredDifference"]
      .map((name) => [name, binary]),
  ),
  ...Object.fromEntries(
    ["Greater", "GreaterEqual", "Less", "LessEqual", "Equal", "NotEqual"]
      .map((name) => [name, binary]),
  ),
  LogicalAnd: logical,
  LogicalOr: logical,
  LogicalNot: SHAPES.map((shape) => ({ inputs: { x: shape }, whole: ["x"] })),
  Step: unary({ alpha: 0.25 }),
  LeakyRelu: unary({ alpha: 0.2 }),
  ClipByValue: unary({ clipValueMin: -0.5, clipValueMax: 0.75 }),
  Select: SHAPES.map((shape) => ({
    inputs: { condition: shape, t: shape, e: shape },
    whole: ["condition"],
  })),
  Cast: unary({ dtype: "bool" }),
  AddN: SHAPES.map((shape) => ({ inputs: { 0: shape, 1: shape, 2: shape } })),
  Fill: [{ inputs: {}, attrs: { shape: [3, 5], value: NaN, dtype: "float32" } }],
  Sum: reduction,
  Mean: reduction,
  Max: reduction,
  Min: reduction,
  Cumsum: cumulative,
  Cumprod: cumulative,
  BatchMatMul: products,
  _FusedMatMul: products.map(({ inputs, attrs }) => ({
    inputs: { ...inputs, bias: [attrs!.transposeB ? inputs.b[1] : inputs.b[2]] },
    attrs: { ...attrs, activation: "relu" },
  })),
  Conv2D: convolutions((c, f) => ({ inputs: { x: [2, 6, 5, c], filter: [3, 3, c, f] } })),
  FusedConv2D: convolutions((c, f) => ({
    inputs: { x: [2, 6, 5, c], filter: [3, 3, c, f], bias: [f] },
    attrs: { activation: "relu" },
  })),
  Conv2DBackpropInput: convolutions((c, f) => ({
    inputs: { dy: [2, 3, 3, f], filter: [3, 3, c, f] },
    attrs: { inputShape: [2, 6, 5, c] },
  })),
  Conv2DBackpropFilter: convolutions((c, f) => ({
    inputs: { x: [2, 6, 5, c], dy: [2, 3, 3, f] },
    attrs: { filterShape: [3, 3, c, f] },
  })),
  Slice: unary({ begin: [1, 1], size: [2, 4] }),
  SplitV: SHAPES.map((shape) => ({
    inputs: { x: shape },
    attrs: { numOrSizeSplits: [1, shape[0] - 1], axis: 0 },
  })),
  Transpose: unary({ perm: [1, 0] }),
  Tile: unary({ reps: [2, 3] }),
  ResizeNearestNeighbor: [3, 4].map((channels) => ({
    inputs: { images: [2, 3, 2, channels] },
    attrs: { alignCorners: false, halfPixelCenters: false, size: [6, 4] },
  })),
  // One image: the cpu backend is wrong for more.
  ResizeNearestNeighborGrad: [3, 4].map((channels) => ({
    inputs: { images: [1, 3, 2, channels], dy: [1, 6, 4, channels] },
    attrs: { alignCorners: false },
    whole: ["images"],
  })),
};

test("every kernel of ours has a case with a NaN", () =>
  withWebGpu(() => {
    assertEquals(Object.keys(CASES).sort(), replacedKernels().sort());
    return Promise.resolve();
  }));

/** Calls a kernel with inputs of these names in order; its results, and nothing else. */
function caller(kernel: string, names: string[], attrs: Record<string, unknown> = {}) {
  return (...tensors: tf.Tensor[]): tf.Tensor | tf.Tensor[] => {
    const bool = (name: string) =>
      /^(LogicalAnd|LogicalOr|LogicalNot)$/.test(kernel) ||
      name === "condition";
    const given = tensors.map((x, i) => bool(names[i]) ? tf.cast(tf.greater(x, 1), "bool") : x);
    const inputs = kernel === "AddN"
      ? given as unknown as tf.NamedTensorMap
      : Object.fromEntries(names.map((name, i) => [name, given[i]]));
    return tf.engine().runKernel(kernel, inputs, attrs as tf.NamedAttrMap) as tf.Tensor;
  };
}

/** Where images are padded beforehand, zeros around them are multiplied as other values are. */
function padded(run: (...tensors: tf.Tensor[]) => tf.Tensor | tf.Tensor[], names: string[]) {
  return (...tensors: tf.Tensor[]) =>
    run(
      ...tensors.map((x, i) =>
        names[i] === "x" ? tf.pad(x, geometry.pad as [number, number][]) : x
      ),
    );
}

const PADDED = ["Conv2D", "FusedConv2D", "Conv2DBackpropFilter"];

/** NaN wherever the kernel gives one and may do so; elsewhere what the cpu backend gives. */
function expectedOf(actual: Float32Array[], plain: Float32Array[], padded: Float32Array[]) {
  return plain.map((values, k) =>
    values.map((value, i) => Number.isNaN(actual[k][i]) && Number.isNaN(padded[k][i]) ? NaN : value)
  );
}

for (const [kernel, calls] of Object.entries(CASES)) {
  testByFamily(
    (family) => `${kernel}, tuned for ${family}, hands a NaN to the results that depend on it`,
    async (backend) => {
      for (const { inputs, attrs, whole = [] } of calls) {
        const names = Object.keys(inputs);
        const run = caller(kernel, names, attrs);
        const what = `${kernel} of ${JSON.stringify(inputs)} ${JSON.stringify(attrs ?? {})}`;
        const compare = async (what: string, given: Plain[]) => {
          const actual = await runOurs(backend, given, run);
          const plain = await runOn("cpu", given, run);
          const unpadded = { ...attrs, pad: [[0, 0], [0, 0], [0, 0], [0, 0]] };
          const expected = PADDED.includes(kernel)
            ? expectedOf(
              actual,
              plain,
              await runOn("cpu", given, padded(caller(kernel, names, unpadded), names)),
            )
            : plain;
          assertEquals(actual.length, expected.length, what);
          expected.forEach((values, k) => assertClose(what, actual[k], values, 1e-5));
        };
        const plain = names.map((name, i): Plain => ({
          shape: inputs[name],
          values: normals(inputs[name], i).map((value) => Math.abs(value) + 0.1),
        }));
        await compare(what, plain);
        for (const [i, name] of names.entries()) {
          if (whole.includes(name)) continue;
          const values = Float32Array.from(plain[i].values);
          values[Math.floor(values.length / 2)] = NaN;
          await compare(`${what} with a NaN in ${name}`, plain.with(i, { ...plain[i], values }));
        }
      }
    },
  );
}

/** Runs a kernel on the backend "webgpu", and fails where it is left to TensorFlow.js's own. */
async function runOurs(
  backend: GanforgeWebGpuBackend,
  inputs: Plain[],
  run: (...tensors: tf.Tensor[]) => tf.Tensor | tf.Tensor[],
): Promise<Float32Array[]> {
  const stock = backend as unknown as { runWebGPUProgram?: unknown };
  stock.runWebGPUProgram = () => {
    throw new Error("this call was left to TensorFlow.js's own kernel");
  };
  try {
    return await runOn("webgpu", inputs, run);
  } finally {
    delete stock.runWebGPUProgram;
  }
}
