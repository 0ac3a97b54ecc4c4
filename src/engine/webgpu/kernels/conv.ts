/**
 * 2-D convolution, both of its gradients, and with them the transposed convolution (NHWC, strides,
 * paddings and dilations), for TensorFlow.js's kernels of those names.
 */
import type * as tfTypes from "@tensorflow/tfjs";
import { GROUPED_KERNELS } from "../../../tensor/grouped_conv.ts";
import { tf } from "../../../tensor/tf.ts";
import type { GanforgeWebGpuBackend } from "../backend.ts";
import { MAX_PARTS, ofFamily, planGemm } from "../tuning.ts";
import { packScalars } from "../uniforms.ts";
import {
  type ConvAttributes,
  type ConvGeometry,
  convGeometry,
  geometryValues,
} from "./conv_geometry.ts";
import { convFilterGradientCode } from "./conv_filter_registers.ts";
import {
  CONV_THREADS,
  convForwardCode,
  convInputGradientCode,
  type ConvTile,
} from "./conv_registers.ts";
import {
  convFilterGradientGemm,
  convForwardGemm,
  type ConvGemm,
  convInputGradientGemm,
} from "./conv_workgroup.ts";
import { workgroupGemmGroups } from "./gemm_workgroup.ts";
import { ACTIVATION_KERNELS, next } from "./matmul.ts";
import { addParts } from "./partial_sums.ts";
import { addKernel, type KernelCall, replaceKernel } from "./registry.ts";
import { vectorWidth } from "./wgsl.ts";

type Info = tfTypes.TensorInfo;

/** A part of a filter's gradient reads at most so much, to find it in the cache for every tap. */
const PART_BYTES = 512 << 10;

/** Registers the kernels for the backend "webgpu". */
export function registerConvKernels(): void {
  replaceKernel("Conv2D", ({ inputs: { x, filter }, attrs, backend }) => {
    const geometry = geometryOf(x.shape, filter.shape, attrs, x, filter);
    return geometry && forward(backend, x, filter, geometry);
  });
  replaceKernel("FusedConv2D", fusedConv2d);
  replaceKernel("Conv2DBackpropInput", ({ inputs: { dy, filter }, attrs, backend }) => {
    const geometry = geometryOf(attrs.inputShape as number[], filter.shape, attrs, dy, filter);
    return geometry && inputGradient(backend, dy, filter, geometry);
  });
  replaceKernel("Conv2DBackpropFilter", ({ inputs: { x, dy }, attrs, backend }) => {
    const geometry = geometryOf(x.shape, attrs.filterShape as number[], attrs, x, dy);
    return geometry && filterGradient(backend, x, dy, geometry);
  });
  addKernel(GROUPED_KERNELS.forward, ({ inputs: { x, filter }, attrs, backend }) => {
    const shapes = { inputShape: x.shape, filterShape: filter.shape };
    return forward(backend, x, filter, groupedGeometry(backend, { ...shapes, attrs }));
  });
  addKernel(GROUPED_KERNELS.inputGradient, ({ inputs: { dy, filter }, attrs, backend }) => {
    const inputShape = attrs.inputShape as number[];
    const geometry = groupedGeometry(backend, { inputShape, filterShape: filter.shape, attrs });
    return inputGradient(backend, dy, filter, geometry);
  });
  addKernel(GROUPED_KERNELS.filterGradient, ({ inputs: { x, dy }, attrs, backend }) => {
    const filterShape = attrs.filterShape as number[];
    const geometry = groupedGeometry(backend, { inputShape: x.shape, filterShape, attrs });
    return filterGradient(backend, x, dy, geometry);
  });
}

/** Of a kernel of src/tensor/grouped_conv.ts. @throws Error for tiles that know no groups */
function groupedGeometry(
  backend: GanforgeWebGpuBackend,
  { inputShape, filterShape, attrs }: {
    inputShape: number[];
    filterShape: number[];
    attrs: Record<string, unknown>;
  },
): ConvGeometry {
  if (!backend.groupsConvolutions) {
    throw new Error(
      "Cannot convolve groups of channels in one kernel: it is for tiles of workgroups",
    );
  }
  return convGeometry(inputShape, filterShape, attrs as unknown as ConvAttributes)!;
}

/** The convolution, then bias and activation through the kernels of those operations. */
function fusedConv2d({ inputs, attrs, backend }: KernelCall) {
  const { x, filter, bias, preluActivationWeights } = inputs;
  const kernel = ACTIVATION_KERNELS[attrs.activation as string ?? "linear"];
  const geometry = geometryOf(x.shape, filter.shape, attrs, x, filter);
  if (!geometry || preluActivationWeights || kernel === undefined) return undefined;
  let result = forward(backend, x, filter, geometry);
  if (bias) result = next(backend, "Add", { a: result, b: bias });
  if (kernel) result = next(backend, kernel, { x: result }, { alpha: attrs.leakyreluAlpha });
  return result;
}

/** Undefined for what these kernels do not do: other types, NCHW, stride and dilation together. */
function geometryOf(
  inputShape: number[],
  filterShape: number[],
  attrs: Record<string, unknown>,
  ...tensors: Info[]
): ConvGeometry | undefined {
  if (
    tensors.some(({ dtype, shape }) => dtype !== "float32" || tf.util.sizeFromShape(shape) === 0)
  ) {
    return undefined;
  }
  const g = convGeometry(inputShape, filterShape, attrs as unknown as ConvAttributes);
  if (!g) return undefined;
  const isStrided = g.strideHeight > 1 || g.strideWidth > 1;
  const isDilated = g.dilationHeight > 1 || g.dilationWidth > 1;
  return isStrided && isDilated ? undefined : g;
}

/** A register tile for `rows` by `columns` results; fewer rows where there would be few tiles. */
function chooseTile(
  backend: GanforgeWebGpuBackend,
  size: { rows: number; columns: number; phases: number; widest?: number },
  widths: Pick<ConvTile, "sumWidth" | "outWidth">,
): ConvTile & { tilesN: number; tiles: number } {
  const { threadTile, targetTiles } = ofFamily(backend.tuning, "registers");
  const isWide = widths.outWidth === 4;
  const { widest = threadTile.columns } = size;
  let columns = Math.min(widest, isWide ? size.columns : Math.min(size.columns, 4));
  while (isWide && columns > 4 && size.columns % columns) columns = Math.max(4, columns / 2 & ~3);
  const tilesN = Math.ceil(size.columns / columns);
  let rows = isWide ? threadTile.rows : 8;
  const tilesOf = (r: number) => Math.ceil(size.rows / r) * tilesN;
  while (tilesOf(rows) * size.phases < targetTiles / 2 && rows > 4) {
    rows = Math.max(4, rows / 2 & ~3);
  }
  return { ...widths, rows, columns, tilesN, tiles: tilesOf(rows) };
}

function forward(backend: GanforgeWebGpuBackend, x: Info, filter: Info, g: ConvGeometry): Info {
  const pixels = g.batch * g.outHeight * g.outWidth;
  const shape = [g.batch, g.outHeight, g.outWidth, g.outChannels];
  if (backend.tuning.family === "workgroup") {
    return runGemm(backend, "conv", [x, filter], g, {
      code: convForwardGemm,
      rows: pixels,
      columns: g.outChannels / g.groups,
      terms: g.kernelHeight * g.kernelWidth * g.channels / g.groups,
      shape,
    });
  }
  const widths = { sumWidth: vectorWidth(g.channels), outWidth: vectorWidth(g.outChannels) };
  const tile = chooseTile(backend, { rows: pixels, columns: g.outChannels, phases: 1 }, widths);
  const output = backend.allocate(shape);
  backend.dispatch({
    label: "conv",
    pipeline: backend.pipeline("conv", convForwardCode(tile)),
    reads: [backend.bufferOf(x), backend.bufferOf(filter)],
    writes: [backend.bufferOf(output)],
    uniforms: packScalars([...geometryValues(g), tile.tilesN, tile.tiles]),
    workgroups: [Math.ceil(tile.tiles / CONV_THREADS), 1, 1],
  }, [x, filter, output]);
  return output;
}

function inputGradient(
  backend: GanforgeWebGpuBackend,
  dy: Info,
  filter: Info,
  g: ConvGeometry,
): Info {
  const phases = g.strideHeight * g.strideWidth;
  const pixels = g.batch * Math.ceil(g.height / g.strideHeight) *
    Math.ceil(g.width / g.strideWidth);
  const shape = [g.batch, g.height, g.width, g.channels];
  if (backend.tuning.family === "workgroup") {
    const taps = Math.ceil(g.kernelHeight / g.strideHeight) *
      Math.ceil(g.kernelWidth / g.strideWidth);
    return runGemm(backend, "convInputGradient", [dy, filter], g, {
      code: convInputGradientGemm,
      rows: pixels,
      columns: g.channels / g.groups,
      terms: taps * g.outChannels / g.groups,
      phases,
      shape,
    });
  }
  const output = backend.allocate(shape);
  const widths = { sumWidth: vectorWidth(g.outChannels), outWidth: vectorWidth(g.channels) };
  const tile = chooseTile(backend, { rows: pixels, columns: g.channels, phases }, widths);
  backend.dispatch({
    label: "convInputGradient",
    pipeline: backend.pipeline("convInputGradient", convInputGradientCode(tile)),
    reads: [backend.bufferOf(dy), backend.bufferOf(filter)],
    writes: [backend.bufferOf(output)],
    uniforms: packScalars([...geometryValues(g), tile.tilesN, tile.tiles]),
    workgroups: [Math.ceil(tile.tiles / CONV_THREADS), phases, 1],
  }, [dy, filter, output]);
  return output;
}

function filterGradient(backend: GanforgeWebGpuBackend, x: Info, dy: Info, g: ConvGeometry): Info {
  const taps = g.kernelHeight * g.kernelWidth;
  const shape = [g.kernelHeight, g.kernelWidth, g.channels / g.groups, g.outChannels];
  if (backend.tuning.family === "workgroup") {
    return runGemm(backend, "convFilterGradient", [x, dy], g, {
      code: convFilterGradientGemm,
      rows: taps * g.channels / g.groups,
      columns: g.outChannels / g.groups,
      terms: g.batch * g.outHeight * g.outWidth,
      shape,
    });
  }
  const widths = { sumWidth: vectorWidth(g.channels), outWidth: vectorWidth(g.outChannels) };
  const isWide = widths.sumWidth === 4;
  const whole = chooseTile(backend, {
    rows: Infinity,
    columns: g.outChannels,
    phases: 1,
    widest: 2 * ofFamily(backend.tuning, "registers").threadTile.columns, // a short loop leaves room for a larger tile
  }, widths);
  const rows = Math.min(isWide ? whole.rows : 4, g.channels);
  const tile = { ...whole, rows: isWide ? rows & ~3 : rows };
  const tilesM = Math.ceil(g.channels / tile.rows);
  const tiles = taps * tilesM * tile.tilesN;
  const allRows = g.batch * g.outHeight;
  const readBytes = 4 * (tf.util.sizeFromShape(x.shape) + tf.util.sizeFromShape(dy.shape));
  let parts = 1;
  const isEnough = () =>
    tiles * parts >= 2 * backend.tuning.targetTiles && readBytes / parts <= PART_BYTES;
  while (!isEnough() && allRows / parts >= 4 && parts < MAX_PARTS) parts *= 2;
  const size = tf.util.sizeFromShape(shape);
  const output = backend.allocate(shape);
  const target = parts > 1 ? backend.allocate([parts, size]) : output;
  const depth = Math.ceil(allRows / parts);
  backend.dispatch({
    label: "convFilterGradient",
    pipeline: backend.pipeline("convFilterGradient", convFilterGradientCode(tile)),
    reads: [backend.bufferOf(x), backend.bufferOf(dy)],
    writes: [backend.bufferOf(target)],
    uniforms: packScalars([...geometryValues(g), tile.tilesN, tiles, tilesM, depth]),
    workgroups: [Math.ceil(tiles / CONV_THREADS), parts, 1],
  }, [x, dy, target]);
  if (parts > 1) addParts(backend, target, output, { splits: parts, inner: size });
  return output;
}

/** An implicit matrix product whose sum may be split along z. */
function runGemm(
  backend: GanforgeWebGpuBackend,
  label: string,
  reads: Info[],
  geometry: ConvGeometry,
  product: {
    code(gemm: ConvGemm): string;
    rows: number;
    columns: number;
    terms: number;
    /** The number of products, all with the same sizes. */
    phases?: number;
    shape: number[];
  },
): Info {
  const { rows, columns, terms, shape, phases = 1 } = product;
  const batch = phases * geometry.groups;
  const { tile, parts } = planGemm(ofFamily(backend.tuning, "workgroup"), {
    rows,
    columns,
    terms,
    batch,
  });
  const [x, y] = workgroupGemmGroups(tile, rows, columns);
  const depth = Math.ceil(terms / parts / 4) * 4;
  const size = tf.util.sizeFromShape(shape);
  const output = backend.allocate(shape);
  const target = parts > 1 ? backend.allocate([parts, size]) : output;
  backend.dispatch({
    label,
    pipeline: backend.pipeline(label, product.code({ geometry, tile, parts, depth })),
    reads: reads.map((tensor) => backend.bufferOf(tensor)),
    writes: [backend.bufferOf(target)],
    workgroups: [x, y, batch * parts],
  }, [...reads, target]);
  if (parts > 1) addParts(backend, target, output, { splits: parts, inner: size });
  return output;
}
