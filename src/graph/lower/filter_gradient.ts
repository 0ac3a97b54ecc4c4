/**
 * Rules for the gradient of a convolution with respect to its filter. For tap `(i, j)` of the filter it
 * is a product of matrices, summed over samples and positions:
 *
 *     dW[i, j] = sum_n X_ij[n] dY[n]^T,   X_ij: the input seen through that tap, [channels, positions]
 *
 * There are several ways to compute it, because none is the fastest for all shapes; see `chooseWay`.
 */
import { numbersAttribute } from "../trace/attributes.ts";
import { asNCHW, type Geometry, geometryOf } from "./conv.ts";
import { NCHW, OIHW } from "./layout.ts";
import type { Lowered, Lowering, LoweringRule } from "./lowering.ts";
import { pad, slice } from "./selection.ts";

/** The input with the convolution's padding made explicit. */
function padded(lowering: Lowering, x: Lowered, { pads }: Geometry): Lowered {
  const [top, left, bottom, right] = pads;
  return pad(lowering, x, [[0, 0], [top, bottom], [left, right], [0, 0]], { constant: 0 });
}

/** For each tap of the filter, the part of the padded input that it meets, `[n, oh, ow, c]`. */
function tapViews(
  lowering: Lowering,
  x: Lowered,
  { kernel, strides, dilations }: Geometry,
  outputShape: readonly number[],
): Lowered[] {
  const [n, , , channels] = x.shape;
  const [, height, width] = outputShape;
  const views: Lowered[] = [];
  for (let i = 0; i < kernel[0]; i++) {
    for (let j = 0; j < kernel[1]; j++) {
      const windows = [[i, 0, height], [j, 1, width]].map(([tap, side, length]) => {
        const begin = tap * dilations[side];
        const step = strides[side];
        return { axis: side + 1, begin, end: begin + (length - 1) * step + 1, step };
      });
      views.push(slice(lowering, x, windows, [n, height, width, channels]));
    }
  }
  return views;
}

/** From this many positions on, a product for each tap and sample beats one product over patches. */
const TAPS_MIN_POSITIONS = 64;

/** With so few input channels, copying patches costs little and one large product gains much. */
const PATCHES_MAX_CHANNELS = 4;

type Way = (lowering: Lowering, operands: Operands) => Lowered;

function chooseWay(lowering: Lowering, { dy, geometry, filterShape }: Operands): Way {
  const positions = dy.shape[1] * dy.shape[2];
  const [stride, strideX] = geometry.strides;
  if (!lowering.contrib || filterShape[2] <= PATCHES_MAX_CHANNELS) return gradientByPatches;
  const splits = stride > 1 && stride === strideX &&
    geometry.kernel.every((size) => size % stride === 0) &&
    geometry.dilations.every((dilation) => dilation === 1);
  if (splits) return gradientByBlocks;
  return positions >= TAPS_MIN_POSITIONS ? gradientByTaps : gradientByPatches;
}

const filterGradient: LoweringRule = (lowering, node) => {
  const filterShape = numbersAttribute(node.attributes, "filterShape");
  const x = lowering.input(node, "x");
  const dy = lowering.input(node, "dy");
  const operands = { x, dy, filterShape, geometry: geometryOf(x.shape, filterShape, node) };
  return chooseWay(lowering, operands)(lowering, operands);
};

interface Operands {
  x: Lowered;
  dy: Lowered;
  filterShape: number[];
  geometry: Geometry;
}

/** An image's channels with their positions in one axis: `[n, channels, positions]`. */
function flatChannels(lowering: Lowering, image: Lowered): string {
  const [n, height, width, channels] = image.shape;
  return lowering.builder.reshape(
    lowering.name(image),
    [n, channels, height, width],
    [n, channels, height * width],
  );
}

/** `sum_n dY[n] X[n]^T`, `[1, filters, channels]`, for each view of the input. */
function productsOverBatch(lowering: Lowering, dy: Lowered, views: Lowered[]): string[] {
  const { builder } = lowering;
  const left = flatChannels(lowering, asNCHW(lowering, dy));
  return views.map((view) => {
    const products = builder.emit(
      "FusedMatMul",
      [left, flatChannels(lowering, view)],
      { transB: 1 },
      { domain: "com.microsoft" },
    ); // [n, filters, channels]
    return builder.emit("ReduceSum", [products, builder.integers([0])], { keepdims: 1 });
  });
}

/** A batched product for each tap, summed over the batch. */
function gradientByTaps(lowering: Lowering, operands: Operands): Lowered {
  const { x, dy, filterShape, geometry } = operands;
  const { builder } = lowering;
  const [kh, kw, channels, filters] = filterShape;
  const input = padded(lowering, asNCHW(lowering, x), geometry);
  const taps = productsOverBatch(lowering, dy, tapViews(lowering, input, geometry, dy.shape));
  const stacked = taps.length === 1 ? taps[0] : builder.emit("Concat", taps, { axis: 0 });
  const turned = builder.emit("Transpose", [stacked], { perm: [1, 2, 0] });
  const name = builder.reshape(turned, [filters, channels, kh * kw], [filters, channels, kh, kw]);
  return lowering.made(name, filterShape, OIHW);
}

/**
 * For a stride that divides the kernel: blocks of stride x stride pixels become channels, and the
 * strided taps become a few taps without stride on that image. Saves the strided copies.
 */
function gradientByBlocks(lowering: Lowering, operands: Operands): Lowered {
  const { x, dy, filterShape, geometry } = operands;
  const { builder } = lowering;
  const [kh, kw, channels, filters] = filterShape;
  const [stride] = geometry.strides;
  const [, outputHeight, outputWidth] = dy.shape;
  const rows = kh / stride;
  const columns = kw / stride;
  // Whole blocks, exactly as many as the taps reach.
  const [top, left] = geometry.pads;
  const height = (outputHeight - 1 + rows) * stride;
  const width = (outputWidth - 1 + columns) * stride;
  const [n, inputHeight, inputWidth] = x.shape;
  const image = asNCHW(lowering, x);
  const grown = pad(lowering, image, [
    [0, 0],
    [top, Math.max(0, height - inputHeight - top)],
    [left, Math.max(0, width - inputWidth - left)],
    [0, 0],
  ], { constant: 0 });
  const whole = slice(lowering, grown, [
    { axis: 1, begin: 0, end: height, step: 1 },
    { axis: 2, begin: 0, end: width, step: 1 },
  ], [n, height, width, channels]);
  const blocks = lowering.made(
    builder.emit("SpaceToDepth", [lowering.name(whole)], { blocksize: stride }),
    [n, height / stride, width / stride, stride * stride * channels],
    NCHW,
  ); // channel (i, j, c): row i and column j of the block
  const views = tapViews(
    lowering,
    blocks,
    { kernel: [rows, columns], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] },
    dy.shape,
  );
  const taps = productsOverBatch(lowering, dy, views);
  const stacked = taps.length === 1 ? taps[0] : builder.emit("Concat", taps, { axis: 0 });
  const dims = [rows, columns, filters, stride, stride, channels];
  const split = builder.reshape(stacked, [rows * columns, filters, stride ** 2 * channels], dims);
  const turned = builder.emit("Transpose", [split], { perm: [2, 5, 0, 3, 1, 4] });
  const name = builder.reshape(
    turned,
    [filters, channels, rows, stride, columns, stride],
    [filters, channels, kh, kw],
  );
  return lowering.made(name, filterShape, OIHW);
}

/** One product over patches: the taps' views, channels first, below each other. */
function gradientByPatches(lowering: Lowering, operands: Operands): Lowered {
  const { x, dy, filterShape, geometry } = operands;
  const { builder } = lowering;
  const [kh, kw, channels, filters] = filterShape;
  const positions = dy.shape[0] * dy.shape[1] * dy.shape[2];
  const channelsFirst = (image: Lowered) =>
    lowering.arranged(lowering.expanded(image), [3, 0, 1, 2]);
  const right = lowering.name(channelsFirst(dy));
  const flatDy = builder.reshape(right, [filters, ...dy.shape.slice(0, 3)], [filters, positions]);
  const input = padded(lowering, channelsFirst(x), geometry);
  const views = tapViews(lowering, input, geometry, dy.shape).map((view) => lowering.name(view));
  const stacked = views.length === 1 ? views[0] : builder.emit("Concat", views, { axis: 0 });
  const patches = builder.reshape(
    stacked,
    [kh * kw * channels, ...dy.shape.slice(0, 3)],
    [kh * kw * channels, positions],
  );
  const product = builder.emit("Gemm", [flatDy, patches], { transB: 1 });
  const name = builder.reshape(product, [filters, kh * kw * channels], [filters, kh, kw, channels]);
  return lowering.made(name, filterShape, [3, 0, 1, 2]);
}

/** Each channel by itself: for each tap, the product with the gradient summed over positions. */
const depthwiseFilterGradient: LoweringRule = (lowering, node) => {
  const { builder } = lowering;
  const filterShape = numbersAttribute(node.attributes, "filterShape");
  const [kh, kw, channels, multiplier] = filterShape;
  const x = lowering.input(node, "x");
  const dy = asNCHW(lowering, lowering.input(node, "dy"));
  const [n, height, width] = dy.shape;
  const geometry = geometryOf(x.shape, filterShape, node, true);
  const gradient = builder.reshape(
    lowering.name(dy),
    lowering.dims(dy),
    [n, channels, multiplier, height, width],
  );
  const input = padded(lowering, asNCHW(lowering, x), geometry);
  const taps = tapViews(lowering, input, geometry, dy.shape).map((view) => {
    const wide = builder.reshape(
      lowering.name(view),
      [n, channels, height, width],
      [n, channels, 1, height, width],
    );
    const product = builder.emit("Mul", [wide, gradient]);
    return builder.emit("ReduceSum", [product, builder.integers([0, 3, 4])], { keepdims: 1 });
  });
  const stacked = taps.length === 1 ? taps[0] : builder.emit("Concat", taps, { axis: 0 });
  const dims = [kh * kw, channels, multiplier, 1, 1];
  return lowering.made(builder.reshape(stacked, dims, filterShape), filterShape);
};

/** The rules by kernel name. */
export const filterGradientRules: Record<string, LoweringRule> = {
  Conv2DBackpropFilter: filterGradient,
  DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
};
