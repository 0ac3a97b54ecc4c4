/**
 * pix2pix (Isola et al. 2017): from an image to the image that belongs to it. The generator is a U-Net
 * with dropout that stays at sampling, the discriminator sees condition and image and gives a map of
 * logits (PatchGAN); binary cross entropy, halved for D, and L1 with weight 100.
 */
import { leakyRelu, relu, tanh } from "../builders.ts";
import type { LayerSpec, NetworkSpec } from "../../network.ts";
import type { ModelSpec, ObjectiveName } from "../../types.ts";
import { adamHalf, conv, convTranspose, INIT, norm, type NormName } from "./parts.ts";

/** What {@linkcode pix2pixModel} is made for. */
export interface Pix2pixOptions {
  /** Height and width in pixels, which a power of two divides: 256 in the paper. */
  size: number;
  /** Channels of the condition `a`. Default 3. */
  inputChannels?: number;
  /** Channels of the image `b`. Default 3. */
  outputChannels?: number;
  /** Filters of the first layers; 64 in the paper. Default 64. */
  filters?: number;
  /** `batch` for larger batches, `instance` for batches of one. Default `instance`. */
  norm?: NormName;
  /** The weight of L1. Default 100. */
  l1Weight?: number;
  /** `non-saturating` (binary cross entropy) or `least-squares`. Default the first. */
  objective?: Extract<ObjectiveName, "non-saturating" | "least-squares">;
}

/** The model of image pairs: inputs `a` and `b`, output `fakeB`. */
export function pix2pixModel(options: Pix2pixOptions): ModelSpec {
  const { size, inputChannels = 3, outputChannels = 3, filters = 64 } = options;
  const { norm: normName = "instance", l1Weight = 100, objective = "non-saturating" } = options;
  return {
    networks: {
      generator: {
        inputShape: [size, size, inputChannels],
        init: INIT,
        layers: unet({ size, filters, outputChannels, norm: normName }),
      },
      discriminator: patchDiscriminator({
        size,
        channels: inputChannels + outputChannels,
        filters,
        norm: normName,
      }),
    },
    values: {
      fakeB: { op: "network", network: "generator", input: "a" },
      realLogits: { op: "network", network: "discriminator", input: ["a", "b"] },
      fakeLogits: { op: "network", network: "discriminator", input: ["a", "fakeB"] },
    },
    updates: [
      {
        name: "discriminator",
        networks: ["discriminator"],
        optimizer: adamHalf(),
        terms: [{
          name: "dAdversarial",
          loss: "discriminator",
          objective,
          real: "realLogits",
          fake: "fakeLogits",
          weight: 0.5,
        }],
      },
      {
        name: "generator",
        networks: ["generator"],
        optimizer: adamHalf(),
        terms: [
          { name: "gAdversarial", loss: "generator", objective, fake: "fakeLogits" },
          { name: "l1", loss: "l1", of: "fakeB", to: "b", weight: l1Weight },
        ],
      },
    ],
    output: "fakeB",
  };
}

/** The most levels of a U-Net, and the levels from inside out whose decoder has dropout. */
const MAX_LEVELS = 8;
const DROPOUT_LEVELS = 3;

/** A U-Net as nested skips: each level halves the sides, goes deeper, and doubles them again. */
function unet(
  { size, filters, outputChannels, norm: name }: {
    size: number;
    filters: number;
    outputChannels: number;
    norm: NormName;
  },
): LayerSpec[] {
  let levels = 0;
  while (levels < MAX_LEVELS && size % 2 ** (levels + 1) === 0) levels++;
  const filtersAt = (level: number) => filters * Math.min(8, 2 ** level);
  function inside(level: number): LayerSpec[] {
    const isInnermost = level === levels - 1;
    // One value a channel has no deviation: the innermost level of a power of two goes without a norm.
    const down = [
      leakyRelu(),
      conv(filtersAt(level), { kernel: 4, stride: 2, padding: 1 }),
      ...(isInnermost ? [] : [norm(name)]),
    ];
    const up: LayerSpec[] = [
      relu,
      convTranspose(filtersAt(level - 1), { kernel: 4, stride: 2, padding: 1 }),
      norm(name),
    ];
    const hasDropout = !isInnermost && levels - 1 - level <= DROPOUT_LEVELS &&
      filtersAt(level) === filtersAt(level - 1);
    if (hasDropout) up.push({ type: "dropout", rate: 0.5, atSampling: true });
    const deeper: LayerSpec[] = isInnermost
      ? []
      : [{ type: "concat-skip", body: inside(level + 1) }];
    return [...down, ...deeper, ...up];
  }
  return [
    conv(filtersAt(0), { kernel: 4, stride: 2, padding: 1 }),
    ...(levels > 1 ? [{ type: "concat-skip" as const, body: inside(1) }] : []),
    relu,
    convTranspose(outputChannels, { kernel: 4, stride: 2, padding: 1 }),
    tanh,
  ];
}

/** The 70 x 70 PatchGAN: C64-C128-C256-C512, and a map of logits. */
export function patchDiscriminator(
  { size, channels, filters, norm: name }: {
    size: number;
    channels: number;
    filters: number;
    norm: NormName;
  },
): NetworkSpec {
  const leaky = leakyRelu();
  return {
    inputShape: [size, size, channels],
    init: INIT,
    layers: [
      conv(filters, { kernel: 4, stride: 2, padding: 1 }),
      leaky,
      conv(2 * filters, { kernel: 4, stride: 2, padding: 1 }),
      norm(name),
      leaky,
      conv(4 * filters, { kernel: 4, stride: 2, padding: 1 }),
      norm(name),
      leaky,
      conv(8 * filters, { kernel: 4, padding: 1 }),
      norm(name),
      leaky,
      conv(1, { kernel: 4, padding: 1 }),
    ],
  };
}
