/**
 * Text to image after GAN-INT-CLS (Reed et al. 2016): the words of a caption are embedded by a network that
 * learns with both others, and the discriminator also sees reals with captions that are not theirs.
 */
import { leakyRelu, relu, tanh } from "../builders.ts";
import type { LayerSpec } from "../../network.ts";
import type { ModelSpec, OptimizerSpec } from "../../types.ts";
import { adamHalf, conv, convTranspose, INIT } from "./parts.ts";

/** What {@linkcode captionsModel} is made for. */
export interface CaptionsOptions {
  /** Height and width in pixels, which 4 divides. */
  size: number;
  /** How many words there are. */
  vocabularySize: number;
  /** Channels. Default 3. */
  channels?: number;
  /** Values of the latent. Default 64. */
  latentDimension?: number;
  /** Values that a caption is embedded in. Default 64. */
  embedding?: number;
  /** Filters of the layers at full size. Default 32. */
  filters?: number;
  /** The learning rate of all networks. Default 2e-4. */
  learningRate?: number;
}

/** The model: inputs `words` (counts of each word) and, in training, `image`; output `fake`. */
export function captionsModel(options: CaptionsOptions): ModelSpec {
  const { size, vocabularySize, channels = 3, latentDimension = 64, embedding = 64 } = options;
  const { filters = 32, learningRate = 2e-4 } = options;
  const leaky = leakyRelu();
  const side = size / 4;
  const halved = { kernel: 4, stride: 2, padding: 1 };
  const block = (layer: LayerSpec): LayerSpec[] => [
    layer,
    { type: "batch-norm" },
    relu,
  ];
  const optimizer: OptimizerSpec = adamHalf(learningRate);
  return {
    networks: {
      text: {
        inputShape: [vocabularySize],
        init: "torch",
        layers: [{ type: "dense", units: embedding, bias: false }],
      },
      generator: {
        inputShape: [latentDimension + embedding],
        init: INIT,
        layers: [
          ...block({ type: "dense", units: side * side * 4 * filters }),
          { type: "reshape", shape: [side, side, 4 * filters] },
          ...block(convTranspose(2 * filters, halved)),
          ...block(convTranspose(filters, halved)),
          conv(channels, { kernel: 3, padding: 1 }),
          tanh,
        ],
      },
      features: {
        inputShape: [size, size, channels],
        init: INIT,
        layers: [
          conv(2 * filters, halved),
          leaky,
          conv(4 * filters, halved),
          leaky,
          { type: "flatten" },
          { type: "dense", units: 8 * filters },
          leaky,
        ],
      },
      head: {
        inputShape: [8 * filters + embedding],
        init: "torch",
        layers: [{ type: "dense", units: 8 * filters }, leaky, { type: "dense", units: 1 }],
      },
    },
    latent: { dimension: latentDimension, distribution: "normal" },
    values: {
      caption: { op: "network", network: "text", input: "words" },
      otherCaption: { op: "mismatch", of: "caption" },
      fake: { op: "network", network: "generator", input: ["latent", "caption"] },
      realFeatures: { op: "network", network: "features", input: "image" },
      fakeFeatures: { op: "network", network: "features", input: "fake" },
      realLogits: { op: "network", network: "head", input: ["realFeatures", "caption"] },
      fakeLogits: { op: "network", network: "head", input: ["fakeFeatures", "caption"] },
      wrongLogits: { op: "network", network: "head", input: ["realFeatures", "otherCaption"] },
    },
    updates: [
      {
        name: "discriminator",
        networks: ["features", "head", "text"],
        optimizer,
        terms: [{
          name: "dAdversarial",
          loss: "discriminator",
          objective: "non-saturating",
          real: "realLogits",
          fake: ["fakeLogits", "wrongLogits"],
        }],
      },
      {
        name: "generator",
        networks: ["generator", "text"],
        optimizer,
        terms: [{
          name: "gAdversarial",
          loss: "generator",
          objective: "non-saturating",
          fake: "fakeLogits",
        }],
      },
    ],
    output: "fake",
  };
}
