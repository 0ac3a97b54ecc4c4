/**
 * Stacked MNIST, the test for mode collapse with 1000 modes: three random digits as the channels of one
 * image. The tiny networks of Metz et al. 2017 (unrolled GANs, appendix) and Lin et al. 2018 (PacGAN,
 * section 4.2): a generator of 64, 32, 16, 8 and 3 channels, and a discriminator with a quarter of the
 * usual 16, 32 and 64.
 */
import type { LayerSpec, RunConfig } from "../types.ts";
import {
  adam,
  BASE,
  batchNorm,
  bothOptimizers,
  conv3,
  dense,
  flatten,
  leakyRelu,
  MANY_SAMPLES,
  project,
  relu,
  tanh,
  UPDATE,
} from "./builders.ts";

/** `h -> 2h - 1 + outputPadding` */
function up(filters: number, outputPadding: number): LayerSpec[] {
  return [
    { type: "conv-transpose", filters, kernel: 3, stride: 2, padding: 1, outputPadding },
    batchNorm,
    relu,
  ];
}

/** Three digits at once. Without `--data` they are synthetic; give MNIST for the published test. */
export const stackedMnist: RunConfig = {
  ...BASE,
  preset: "stacked-mnist",
  data: { source: "stacked-mnist", size: 28 },
  duration: { epochs: 25 },
  batchSize: 64,
  latent: { dimension: 256, distribution: "normal" },
  generator: {
    inputShape: [256],
    init: { normal: 0.02 },
    layers: [
      ...project([4, 4, 64]),
      batchNorm,
      relu,
      ...up(32, 0), // 4 -> 7
      ...up(16, 1), // 7 -> 14
      ...up(8, 1), // 14 -> 28
      conv3(3),
      tanh,
    ],
  },
  discriminator: {
    inputShape: [28, 28, 3],
    init: { normal: 0.02 },
    layers: [
      conv3(4, { stride: 2 }),
      leakyRelu(),
      ...[8, 16].flatMap((filters) => [conv3(filters, { stride: 2 }), batchNorm, leakyRelu()]),
      flatten,
      dense(1),
    ],
  },
  objective: { name: "non-saturating" },
  update: UPDATE,
  ...bothOptimizers(adam(2e-4, { beta1: 0.5 })),
  snapshots: { ...BASE.snapshots, ...MANY_SAMPLES },
};
