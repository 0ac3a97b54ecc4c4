/**
 * Super-resolution after SRGAN (Ledig et al. 2017) and ESRGAN (Wang et al. 2018): residual blocks without
 * batch norm, pixel shuffle, a relativistic discriminator. The network adds to a bilinear enlargement what
 * that lacks. Small images are box means of the large ones (`shrink`), made within the step; a pixel loss
 * trains first, and the adversarial one joins later.
 */
import { leakyRelu } from "../builders.ts";
import type { LayerSpec } from "../../network.ts";
import type { ModelSpec } from "../../types.ts";
import { conv } from "./parts.ts";

/** What {@linkcode superResolutionModel} is made for. */
export interface SuperResolutionOptions {
  /** Height and width of the large images, which `factor` and 4 divide. */
  size: number;
  /** How much larger images become, from 2 to 8. */
  factor: number;
  /** Channels. Default 3. */
  channels?: number;
  /** Filters of each layer. Default 64. */
  filters?: number;
  /** Residual blocks; 16 in SRGAN. Default 16. */
  blocks?: number;
  /** The weight of the adversarial loss. Default 1e-3. */
  adversarialWeight?: number;
  /** The first step with the adversarial loss. Default 1,000. */
  adversarialFromStep?: number;
  /** The learning rate of both. Default 2e-4. */
  learningRate?: number;
}

/** The model: input `high`, from which `low` is made; output `enlarged`, a function of `low`. */
export function superResolutionModel(options: SuperResolutionOptions): ModelSpec {
  const { size, factor, channels = 3, filters = 64, blocks = 16 } = options;
  const { adversarialWeight = 1e-3, adversarialFromStep: fromStep = 1000 } = options;
  const { learningRate = 2e-4 } = options;
  const optimizer = { type: "adam" as const, learningRate };
  const leaky = leakyRelu();
  const same = { kernel: 3, padding: 1 };
  const halved = { kernel: 4, stride: 2, padding: 1 };
  return {
    networks: {
      generator: {
        inputShape: [size / factor, size / factor, channels],
        init: "torch",
        layers: [{
          type: "residual",
          body: enlarger({ factor, channels, filters, blocks }),
          shortcut: [{ type: "upsample", factor, mode: "bilinear" }],
        }],
      },
      discriminator: {
        inputShape: [size, size, channels],
        init: "torch",
        layers: [
          conv(filters, same),
          leaky,
          conv(filters, halved),
          leaky,
          conv(2 * filters, halved),
          leaky,
          conv(1, same),
        ],
      },
    },
    values: {
      low: { op: "shrink", of: "high", factor },
      enlarged: { op: "network", network: "generator", input: "low" },
      realLogits: { op: "network", network: "discriminator", input: "high" },
      fakeLogits: { op: "network", network: "discriminator", input: "enlarged" },
    },
    updates: [
      {
        name: "discriminator",
        networks: ["discriminator"],
        optimizer,
        terms: [{
          name: "dAdversarial",
          loss: "discriminator",
          objective: "relativistic",
          real: "realLogits",
          fake: "fakeLogits",
          fromStep,
        }],
      },
      {
        name: "generator",
        networks: ["generator"],
        optimizer,
        terms: [
          { name: "l1", loss: "l1", of: "enlarged", to: "high" },
          {
            name: "gAdversarial",
            loss: "generator",
            objective: "relativistic",
            real: "realLogits",
            fake: "fakeLogits",
            weight: adversarialWeight,
            fromStep,
          },
        ],
      },
    ],
    output: "enlarged",
  };
}

/** Residual blocks at the small size, then pixel shuffle by the prime factors. */
function enlarger(
  { factor, channels, filters, blocks }: {
    factor: number;
    channels: number;
    filters: number;
    blocks: number;
  },
): LayerSpec[] {
  const same = { kernel: 3, padding: 1 };
  const block: LayerSpec = {
    type: "residual",
    body: [conv(filters, same), { type: "prelu" }, conv(filters, same)],
  };
  const shuffles: number[] = [];
  for (let prime = 2, rest = factor; rest > 1; prime++) {
    for (; rest % prime === 0; rest /= prime) shuffles.push(prime);
  }
  return [
    conv(filters, same),
    { type: "residual", body: Array.from({ length: blocks }, () => block) },
    ...shuffles.flatMap((step): LayerSpec[] => [
      conv(filters * step * step, same),
      { type: "pixel-shuffle", factor: step },
      { type: "prelu" },
    ]),
    // Starts as the bilinear enlargement.
    { type: "conv", filters: channels, ...same, init: "zeros" },
  ];
}
