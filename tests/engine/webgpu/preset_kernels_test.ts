/**
 * Every matrix product and convolution, and every gradient of them, that a step of any preset computes,
 * with the preset's own sizes (convolutions with one sample), against sums in double precision for some
 * of the results. By the tiles for GPUs, one call of each structure of program. Groups of channels: see grouped_conv_test.ts.
 */
import { assert, assertEquals } from "@std/assert";
import { presetConfig, presets, SIZED_PRESETS } from "../../../src/config/presets/mod.ts";
import type { RunConfig } from "../../../src/config/run_config.ts";
import { kindOf } from "../../../src/engine/step_kinds.ts";
import type { GanforgeWebGpuBackend } from "../../../src/engine/webgpu/backend.ts";
import { tf } from "../../../src/tensor/tf.ts";
import type { TensorSpec } from "../../../src/tensor/types.ts";
import { traceFunction } from "../../../src/graph/trace/trace.ts";
import { fillBits } from "../../../src/random/counter_random.ts";
import { caseStep } from "../../training/preset_cases.ts";
import { GPU_TUNING, SOFTWARE_TUNING } from "../../../src/engine/webgpu/tuning.ts";
import { normals, test, withTuning } from "./helpers.ts";

/** What a preset made for images of any size is made for here. */
const SIZE: Record<string, number> = { dcgan: 64 };

/** Dense networks with the preset's own batch, convolutions with one sample: the grids are large. */
function configOf(name: string): RunConfig {
  const config = presetConfig(SIZED_PRESETS.includes(name) ? `${name}@${SIZE[name] ?? 32}` : name);
  const { layers } = config.discriminator;
  const isDense = !layers.some(({ type }) => type.startsWith("conv") || type === "residual");
  return isDense ? config : { ...config, batchSize: 1 };
}

/** One call of a kernel. */
interface Call {
  kernel: string;
  attrs: Record<string, unknown>;
  /** Shapes by TensorFlow.js's names. */
  inputs: Record<string, number[]>;
}

const KERNELS = ["BatchMatMul", "Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"];

/** The different calls of a step of a preset. */
function callsOf(config: RunConfig): Call[] {
  const { program, initialState } = caseStep(config);
  const state = initialState(1);
  const specs: Record<string, TensorSpec> = {};
  for (const [name, { shape, dtype }] of Object.entries(state)) {
    specs[`state ${name}`] = { shape, dtype };
  }
  for (const [name, { shape, dtype }] of Object.entries(program.inputs)) {
    specs[`input ${name}`] = { shape, dtype };
  }
  assertEquals(program.constants ?? {}, {});
  const { nodes } = traceFunction((given, random) => {
    const pick = (names: string[], what: string) =>
      Object.fromEntries(names.map((name) => [name, given[`${what} ${name}`]]));
    const inputs = pick(Object.keys(program.inputs), "input");
    const before = pick(Object.keys(state), "state");
    const after = program.step(before, inputs, random, kindOf(program, 0));
    return { ...after.state, ...after.scalars };
  }, specs);
  return nodes.filter(({ kernel }) => KERNELS.includes(kernel)).map(
    ({ kernel, attributes, inputs }) => ({
      kernel,
      attrs: { ...attributes },
      inputs: Object.fromEntries(Object.entries(inputs).map(([key, { shape }]) => [key, shape])),
    }),
  );
}

/** A result of a call: the sum, and how large its terms are together. */
interface Sum {
  value: number;
  size: number;
}

/** Computes the result at a position in double precision. */
type Reference = (data: Record<string, Float32Array>, at: number[]) => Sum;

function sumOf(terms: Iterable<number>): Sum {
  let [value, size] = [0, 0];
  for (const term of terms) {
    value += term;
    size += Math.abs(term);
  }
  return { value, size };
}

function product({ attrs, inputs }: Call): Reference {
  const { transposeA, transposeB } = attrs;
  const [rows, columns] = inputs.a.slice(-2);
  const [rowsB, columnsB] = inputs.b.slice(-2);
  const matrices = (shape: number[]) => tf.util.sizeFromShape(shape.slice(0, -2));
  return ({ a, b }, at) => {
    const [i, j] = at.slice(-2);
    const batch = at.length > 2 ? at[0] : 0;
    const fromA = matrices(inputs.a) > 1 ? batch * rows * columns : 0;
    const fromB = matrices(inputs.b) > 1 ? batch * rowsB * columnsB : 0;
    const terms = transposeA ? rows : columns;
    return sumOf(
      Array.from(
        { length: terms },
        (_, k) =>
          a[fromA + (transposeA ? k * columns + i : i * columns + k)] *
          b[fromB + (transposeB ? j * columnsB + k : k * columnsB + j)],
      ),
    );
  };
}

/** Any of a convolution's three kernels: each sums products of a pixel, an output and a filter's tap. */
function convolution(call: Call): Reference {
  const { kernel, attrs, inputs } = call;
  const info = tf.backend_util.computeConv2DInfo(
    (kernel === "Conv2DBackpropInput" ? attrs.inputShape : inputs.x) as [
      number,
      number,
      number,
      number,
    ],
    (attrs.filterShape ?? inputs.filter) as [number, number, number, number],
    attrs.strides as number,
    (attrs.dilations as number) ?? 1,
    attrs.pad as "same",
  );
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, padInfo } = info;
  const { strideHeight, strideWidth, filterHeight, filterWidth, batchSize } = info;
  const pixel = (n: number, y: number, x: number, c: number) =>
    ((n * inHeight + y) * inWidth + x) * inChannels + c;
  const output = (n: number, y: number, x: number, f: number) =>
    ((n * outHeight + y) * outWidth + x) * outChannels + f;
  const tap = (ky: number, kx: number, c: number, f: number) =>
    ((ky * filterWidth + kx) * inChannels + c) * outChannels + f;
  const inside = (y: number, x: number) => y >= 0 && y < inHeight && x >= 0 && x < inWidth;
  return ({ x, dy, filter }, at) => {
    const terms: number[] = [];
    if (kernel === "Conv2DBackpropFilter") {
      const [ky, kx, c, f] = at;
      for (let n = 0; n < batchSize; n++) {
        for (let oy = 0; oy < outHeight; oy++) {
          for (let ox = 0; ox < outWidth; ox++) {
            const [iy, ix] = [
              oy * strideHeight + ky - padInfo.top,
              ox * strideWidth + kx - padInfo.left,
            ];
            if (inside(iy, ix)) terms.push(x[pixel(n, iy, ix, c)] * dy[output(n, oy, ox, f)]);
          }
        }
      }
      return sumOf(terms);
    }
    for (let ky = 0; ky < filterHeight; ky++) {
      for (let kx = 0; kx < filterWidth; kx++) {
        if (kernel === "Conv2D") {
          const [n, oy, ox, f] = at;
          const [iy, ix] = [
            oy * strideHeight + ky - padInfo.top,
            ox * strideWidth + kx - padInfo.left,
          ];
          if (!inside(iy, ix)) continue;
          for (let c = 0; c < inChannels; c++) {
            terms.push(x[pixel(n, iy, ix, c)] * filter[tap(ky, kx, c, f)]);
          }
          continue;
        }
        const [n, iy, ix, c] = at;
        const [oy, ox] = [
          (iy + padInfo.top - ky) / strideHeight,
          (ix + padInfo.left - kx) / strideWidth,
        ];
        if (!Number.isInteger(oy) || !Number.isInteger(ox)) continue;
        if (oy < 0 || oy >= outHeight || ox < 0 || ox >= outWidth) continue;
        for (let f = 0; f < outChannels; f++) {
          terms.push(dy[output(n, oy, ox, f)] * filter[tap(ky, kx, c, f)]);
        }
      }
    }
    return sumOf(terms);
  };
}

/**
 * The programs of a call on the current backend, with every number in them replaced: calls of one
 * structure run the same statements with other sizes.
 */
function structureOf(backend: GanforgeWebGpuBackend, { kernel, attrs, inputs }: Call): string {
  const codes: string[] = [];
  const { pipeline, dispatch } = backend;
  backend.pipeline = (_label, code) => {
    codes.push(code.replaceAll(/\d+/g, "#"));
    return {} as GPUComputePipeline;
  };
  backend.dispatch = () => {};
  try {
    tf.tidy(() => {
      const tensors = Object.entries(inputs).map(([name, shape]) => [name, tf.zeros(shape)]);
      const attributes = attrs as tf.NamedAttrMap;
      tf.engine().runKernel(kernel, Object.fromEntries(tensors), attributes);
    });
  } finally {
    Object.assign(backend, { pipeline, dispatch });
  }
  return codes.join();
}

/** How many results of each call are looked at: the first, the last, and others. */
const LOOKED_AT = 24;

/** Checks a call on the backend "webgpu". */
async function check(call: Call): Promise<void> {
  const { kernel, attrs, inputs } = call;
  const data = Object.fromEntries(
    Object.entries(inputs).map(([name, shape], stream) => [name, normals(shape, stream)]),
  );
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, shape]) => [name, tf.tensor(data[name], shape)]),
  );
  const result = tf.engine().runKernel(kernel, tensors, attrs as tf.NamedAttrMap) as tf.Tensor;
  const values = await result.data();
  const { shape, strides } = result;
  tf.dispose([tensors, result]);
  const reference = kernel === "BatchMatMul" ? product(call) : convolution(call);
  const chosen = fillBits(new Uint32Array(LOOKED_AT), { seed: 1, stream: values.length, step: 0 })
    .map((bits, i) => [0, values.length - 1][i] ?? bits % values.length);
  for (const index of chosen) {
    const at = shape.map((extent, d) => Math.floor(index / (strides[d] ?? 1)) % extent);
    const { value, size } = reference(data, at);
    assert(
      Math.abs(values[index] - value) <= 2e-6 * size,
      `${kernel} of ${JSON.stringify(inputs)}, ${JSON.stringify(attrs)}: [${at}] is ` +
        `${values[index]}, not ${value} (terms of ${size} together)`,
    );
  }
}

const calls = new Map<string, Call>();
for (const name of new Set([...Object.keys(presets), ...SIZED_PRESETS])) {
  for (const call of callsOf(configOf(name))) calls.set(JSON.stringify(call), call);
}

/**
 * One call of each structure, the smallest: the programs for GPUs hold sizes as constants, and each takes
 * a software adapter about a second to compile.
 */
function oneOfEach(backend: GanforgeWebGpuBackend, calls: Call[]): Call[] {
  const elements = ({ inputs }: Call) =>
    Object.values(inputs).reduce((sum, shape) => sum + tf.util.sizeFromShape(shape), 0);
  const byStructure = new Map<string, Call>();
  for (const call of calls.toSorted((a, b) => elements(b) - elements(a))) {
    byStructure.set(structureOf(backend, call), call);
  }
  return [...byStructure.values()];
}

for (const kernel of KERNELS) {
  const all = [...calls.values()].filter((call) => call.kernel === kernel);
  test(`the ${all.length} calls of ${kernel} of all presets, by tiles in registers, are right`, () =>
    withTuning(SOFTWARE_TUNING, async () => {
      assert(all.length > 30);
      for (const call of all) await check(call);
    }));
  test(`each structure of program that ${kernel} of all presets has on GPUs is right`, () =>
    withTuning(GPU_TUNING, async (backend) => {
      const chosen = oneOfEach(backend, all);
      assert(chosen.length > 15);
      for (const call of chosen) await check(call);
    }));
}
