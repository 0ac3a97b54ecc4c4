/**
 * Networks as data. A network is a list of layers; each layer is a plain JSON object, so that the same
 * description goes into a run's config, its checkpoints and the export.
 */
import { z } from "zod";
import { initializerSchema, layerSchema } from "./layers.ts";
import { named, optional } from "./option.ts";
import type { LayerSpec } from "./types.ts";

export type {
  ActivationName,
  InitializerSpec,
  LayerSpec,
  Named,
  NetworkSpec,
  PaddingSpec,
  Weighted,
} from "./types.ts";

const count = z.number().int().positive();

/** Checks a network. */
export const networkSchema = named(
  z.strictObject({
    inputShape: z.array(count).min(1).describe(
      "The shape of the input without the batch: `[latentDimension]`, or a sample's shape.",
    ),
    layers: z.array(layerSchema).min(1).describe("From the input to the output."),
    init: initializerSchema.describe("How parameters start, unless a layer says otherwise."),
    classCount: optional(count, "How many classes labels have, where a layer uses labels.", {
      otherwise: "as the data say",
    }),
  }),
  "NetworkSpec",
  { meaning: "A network: what comes in, and the layers that it goes through." },
);

/** The layers inside a layer: those of its blocks, or none. */
function innerLayers(layer: LayerSpec): readonly LayerSpec[] {
  if (layer.type === "concat-skip") return layer.body;
  return layer.type === "residual" ? [...layer.body, ...(layer.shortcut ?? [])] : [];
}

/** Every layer of a list and of the blocks in it, from outside in. */
export function allLayers(layers: readonly LayerSpec[]): LayerSpec[] {
  return layers.flatMap((layer) => [layer, ...allLayers(innerLayers(layer))]);
}

/** Layers that take class labels. */
export const LABEL_LAYERS: readonly LayerSpec["type"][] = [
  "conditional-batch-norm",
  "label-embedding",
  "projection-head",
];
