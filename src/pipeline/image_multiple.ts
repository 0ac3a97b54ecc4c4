/** Which sizes of images a network takes, from its layers. */
import type { LayerSpec } from "../config/network.ts";

/** Layers that know how many pixels an image has. */
const FIXED: readonly LayerSpec["type"][] = [
  "dense",
  "maxout",
  "flatten",
  "reshape",
  "layer-norm",
  "self-attention",
  "minibatch-stddev",
  "projection-head",
  "classifier-head",
  "label-embedding",
  "conditional-batch-norm",
];

/**
 * What must divide height and width of the images that layers take.
 * @returns null where they take one size only: a layer knows it, or draws noise for each pixel
 */
export function imageMultiple(layers: readonly LayerSpec[]): number | null {
  const found = walk(layers, 1);
  return found?.multiple ?? null;
}

interface Walked {
  /** How many times smaller the images are now than at the input; below 1: larger. */
  shrunk: number;
  /** The largest of all `shrunk` so far. */
  multiple: number;
}

function walk(layers: readonly LayerSpec[], shrunk: number): Walked | undefined {
  let walked: Walked = { shrunk, multiple: Math.max(1, shrunk) };
  for (const layer of layers) {
    const isRandom = layer.type === "dropout" && layer.atSampling && layer.rate > 0;
    if (FIXED.includes(layer.type) || isRandom) return undefined;
    if (layer.type === "residual" || layer.type === "concat-skip") {
      const body = walk(layer.body, walked.shrunk);
      if (body === undefined) return undefined;
      walked = { shrunk: body.shrunk, multiple: Math.max(walked.multiple, body.multiple) };
      continue;
    }
    const now = walked.shrunk * shrinks(layer);
    walked = { shrunk: now, multiple: Math.max(walked.multiple, now) };
  }
  return walked;
}

/** How many times smaller a layer makes images. */
function shrinks(layer: LayerSpec): number {
  switch (layer.type) {
    case "conv":
    case "depthwise-conv":
      return layer.stride ?? 1;
    case "conv-transpose":
      return 1 / (layer.stride ?? 1);
    case "upsample":
    case "pixel-shuffle":
      return 1 / (layer.factor ?? 2);
    case "avg-pool":
    case "max-pool":
      return layer.size ?? 2;
    default:
      return 1;
  }
}
