/**
 * CycleGAN (Zhu et al. 2017): between two sets of images of which no two belong together. Two residual
 * generators with reflected borders and instance norm, two PatchGANs, least squares, cycles with weight 10,
 * identity with half of that, and a history of 50 images.
 */
import { relu, tanh } from "../builders.ts";
import type { LayerSpec, NetworkSpec } from "../../network.ts";
import type { ModelSpec, TermSpec } from "../../types.ts";
import { adamHalf, conv, convTranspose, INIT, norm } from "./parts.ts";
import { patchDiscriminator } from "./pix2pix.ts";

/** What {@linkcode cycleGanModel} is made for. */
export interface CycleGanOptions {
  /** Height and width in pixels, which 4 divides. */
  size: number;
  /** Channels of both sets. Default 3. */
  channels?: number;
  /** Filters of the first layers; 64 in the paper. Default 64. */
  filters?: number;
  /** Residual blocks. Default: 6 up to 128 pixels, 9 above. */
  blocks?: number;
  /** The weight of the cycles. Default 10. */
  cycleWeight?: number;
  /** The weight of the identity, in cycle weights; 0 leaves it out. Default 0.5. */
  identityWeight?: number;
  /** Images that the discriminators are shown again. Default 50. */
  historySize?: number;
}

/** The model of two sets: inputs `a` and `b`, outputs `fakeB` (exported) and `fakeA`. */
export function cycleGanModel(options: CycleGanOptions): ModelSpec {
  const { size, channels = 3, filters = 64, blocks = size <= 128 ? 6 : 9 } = options;
  const { cycleWeight = 10, identityWeight = 0.5, historySize = 50 } = options;
  const generator = resnetGenerator({ size, channels, filters, blocks });
  const discriminator = patchDiscriminator({ size, channels, filters, norm: "instance" });
  const identity: TermSpec[] = identityWeight === 0 ? [] : [
    { name: "identityA", loss: "l1", of: "sameA", to: "a", weight: cycleWeight * identityWeight },
    { name: "identityB", loss: "l1", of: "sameB", to: "b", weight: cycleWeight * identityWeight },
  ];
  return {
    networks: {
      aToB: generator,
      bToA: generator,
      discriminatorA: discriminator,
      discriminatorB: discriminator,
    },
    values: {
      fakeB: { op: "network", network: "aToB", input: "a" },
      fakeA: { op: "network", network: "bToA", input: "b" },
      cycleA: { op: "network", network: "bToA", input: "fakeB" },
      cycleB: { op: "network", network: "aToB", input: "fakeA" },
      sameA: { op: "network", network: "bToA", input: "a" },
      sameB: { op: "network", network: "aToB", input: "b" },
      fakeLogitsA: { op: "network", network: "discriminatorA", input: "fakeA" },
      fakeLogitsB: { op: "network", network: "discriminatorB", input: "fakeB" },
      pastA: { op: "history", of: "fakeA", size: historySize },
      pastB: { op: "history", of: "fakeB", size: historySize },
      realLogitsA: { op: "network", network: "discriminatorA", input: "a" },
      realLogitsB: { op: "network", network: "discriminatorB", input: "b" },
      pastLogitsA: { op: "network", network: "discriminatorA", input: "pastA" },
      pastLogitsB: { op: "network", network: "discriminatorB", input: "pastB" },
    },
    updates: [
      {
        name: "generators",
        networks: ["aToB", "bToA"],
        optimizer: adamHalf(),
        terms: [
          // The paper's (f - 1)^2 is twice the objective's.
          ...(["A", "B"] as const).map((domain): TermSpec => ({
            name: `gAdversarial${domain}`,
            loss: "generator",
            objective: "least-squares",
            fake: `fakeLogits${domain}`,
            weight: 2,
          })),
          { name: "cycleLossA", loss: "l1", of: "cycleA", to: "a", weight: cycleWeight },
          { name: "cycleLossB", loss: "l1", of: "cycleB", to: "b", weight: cycleWeight },
          ...identity,
        ],
      },
      ...(["A", "B"] as const).map((domain) => ({
        name: `discriminator${domain}`,
        networks: [`discriminator${domain}`],
        optimizer: adamHalf(),
        terms: [{
          name: `dAdversarial${domain}`,
          loss: "discriminator" as const,
          objective: "least-squares" as const,
          real: `realLogits${domain}`,
          fake: `pastLogits${domain}`,
        }],
      })),
    ],
    output: "fakeB",
  };
}

/** c7s1-64, d128, d256, residual blocks of 256, u128, u64, c7s1-3. */
function resnetGenerator(
  { size, channels, filters, blocks }: {
    size: number;
    channels: number;
    filters: number;
    blocks: number;
  },
): NetworkSpec {
  const instance = norm("instance");
  const reflect = (padding: number): LayerSpec => ({ type: "pad", padding, mode: "reflect" });
  const block: LayerSpec = {
    type: "residual",
    body: [
      reflect(1),
      conv(4 * filters, { kernel: 3 }),
      instance,
      relu,
      reflect(1),
      conv(4 * filters, { kernel: 3 }),
      instance,
    ],
  };
  const up = { kernel: 3, stride: 2, padding: 1, outputPadding: 1 };
  return {
    inputShape: [size, size, channels],
    init: INIT,
    layers: [
      reflect(3),
      conv(filters, { kernel: 7 }),
      instance,
      relu,
      conv(2 * filters, { kernel: 3, stride: 2, padding: 1 }),
      instance,
      relu,
      conv(4 * filters, { kernel: 3, stride: 2, padding: 1 }),
      instance,
      relu,
      ...Array.from({ length: blocks }, () => block),
      convTranspose(2 * filters, up),
      instance,
      relu,
      convTranspose(filters, up),
      instance,
      relu,
      reflect(3),
      conv(channels, { kernel: 7 }),
      tanh,
    ],
  };
}
