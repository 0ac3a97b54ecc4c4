/**
 * Rules for the gradient of a convolution with respect to its filter. For tap `(i, j)` of the filter it
 * is a product of matrices, summed over samples and positions:
 *
 *     dW[i, j] = sum_n X_ij[n] dY[n]^T,   X_ij: the input seen through that tap, [channels, positions]
 *
 * Two ways to compute it, because neither is the fastest for all shapes; see `prefersTaps`.
 */
import { numbersAttribute } from "../trace/attributes.ts";
import { asNCHW, type Geometry, geometryOf } from "./conv.ts";
import { OIHW } from "./layout.ts";
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

function prefersTaps(lowering: Lowering, outputShape: readonly number[]): boolean {
  return lowering.contrib && outputShape[1] * outputShape[2] >= TAPS_MIN_POSITIONS;
}

const filterGradient: LoweringRule = (lowering, node) => {
  const filterShape = numbersAttribute(node.attributes, "filterShape");
  const x = lowering.input(node, "x");
  const dy = lowering.input(node, "dy");
  const geometry = geometryOf(x.shape, filterShape, node);
  const compute = prefersTaps(lowering, dy.shape) ? gradientByTaps : gradientByPatches;
  return compute(lowering, { x, dy, filterShape, geometry });
};

interface Operands {
  x: Lowered;
  dy: Lowered;
  filterShape: number[];
  geometry: Geometry;
}

/** A batched product for each tap, summed over the batch. */
function gradientByTaps(lowering: Lowering, operands: Operands): Lowered {
  const { x, dy, filterShape, geometry } = operands;
  const { builder } = lowering;
  const [kh, kw, channels, filters] = filterShape;
  const [n, height, width] = dy.shape;
  const positions = height * width;
  const flatten = (image: Lowered, depth: number) =>
    builder.reshape(
      lowering.name(image),
      [n, depth, height, width],
      [n, depth, positions],
    );
  const right = flatten(asNCHW(lowering, dy), filters);
  const input = padded(lowering, asNCHW(lowering, x), geometry);
  const taps = tapViews(lowering, input, geometry, dy.shape).map((view) => {
    const products = builder.emit("FusedMatMul", [right, flatten(view, channels)], { transB: 1 }, {
      domain: "com.microsoft",
    }); // [n, filters, channels]
    return builder.emit("ReduceSum", [products, builder.integers([0])], { keepdims: 1 });
  });
  const stacked = taps.length === 1 ? taps[0] : builder.emit("Concat", taps, { axis: 0 });
  const turned = builder.emit("Transpose", [stacked], { perm: [1, 2, 0] });
  const name = builder.reshape(turned, [filters, channels, kh * kw], [filters, channels, kh, kw]);
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
