/** Rules for pooling and its gradients. */
import { elementCount } from "../../bytes.ts";
import type { KernelNode } from "../trace/kernel_graph.ts";
import { poolingInfo } from "../trace/shape_rules_image.ts";
import { asNCHW, type Geometry, outputPadding, paddingAttribute, windowGeometry } from "./conv.ts";
import { NCHW } from "./layout.ts";
import type { LoweringRule } from "./lowering.ts";

function poolGeometry(inputShape: readonly number[], node: KernelNode): Geometry {
  return windowGeometry(poolingInfo(inputShape, node.attributes));
}

function attributesOf({ kernel, strides, pads }: Geometry) {
  return { kernel_shape: kernel, strides, pads };
}

function pool(op: "AveragePool" | "MaxPool"): LoweringRule {
  return (lowering, node) => {
    const x = asNCHW(lowering, lowering.input(node, "x"));
    const geometry = poolGeometry(x.shape, node);
    const { kernel, strides } = geometry;
    const name = lowering.builder.emit(op, [lowering.name(x)], {
      kernel_shape: kernel,
      strides,
      ...paddingAttribute(lowering, node, x.shape.slice(1, 3), geometry),
    });
    return lowering.made(name, node.outputs[0].shape, NCHW);
  };
}

/**
 * Spreads each gradient evenly over its window: a transposed convolution with a constant filter for
 * each channel. Divides by the window's full size, as TensorFlow.js does at the borders too.
 */
const averageGradient: LoweringRule = (lowering, node) => {
  const { builder } = lowering;
  const { shape } = node.outputs[0];
  const dy = asNCHW(lowering, lowering.input(node, "dy"));
  const geometry = poolGeometry(shape, node);
  const [kh, kw] = geometry.kernel;
  const channels = shape[3];
  const share = new Float32Array(channels * kh * kw).fill(1 / (kh * kw));
  const weight = builder.constant(share, [channels, 1, kh, kw], "float32", "share");
  const name = builder.emit("ConvTranspose", [lowering.name(dy), weight], {
    ...attributesOf(geometry),
    group: channels,
    output_padding: outputPadding(shape.slice(1, 3), dy.shape.slice(1, 3), geometry),
  });
  return lowering.made(name, shape, NCHW);
};

/** Sends each gradient to the place of its window's largest element. */
const maximumGradient: LoweringRule = (lowering, node) => {
  lowering.requireOpset(16, node); // the reduction
  const { builder } = lowering;
  const { shape } = node.outputs[0];
  const x = asNCHW(lowering, lowering.input(node, "input"));
  const dy = asNCHW(lowering, lowering.input(node, "dy"));
  const geometry = poolGeometry(shape, node);
  const [, places] = builder.emitAll(
    "MaxPool",
    [lowering.name(x)],
    attributesOf(geometry),
    { outputs: 2 },
  );
  // Places are indices into the whole NCHW tensor; windows that overlap add up.
  const flatPlaces = builder.reshape(places, lowering.dims(dy), [-1]);
  const flatDy = builder.reshape(lowering.name(dy), lowering.dims(dy), [-1]);
  const size = elementCount(shape);
  const zeros = builder.emit("Expand", [builder.float(0), builder.integers([size])]);
  const flat = builder.emit("ScatterElements", [zeros, flatPlaces, flatDy], {
    axis: 0,
    reduction: "add",
  });
  const dims = NCHW.map((axis) => shape[axis]);
  return lowering.made(builder.reshape(flat, [size], dims), shape, NCHW);
};

/** The rules by kernel name. */
export const poolRules: Record<string, LoweringRule> = {
  AvgPool: pool("AveragePool"),
  AvgPoolGrad: averageGradient,
  MaxPool: pool("MaxPool"),
  MaxPoolGrad: maximumGradient,
};
