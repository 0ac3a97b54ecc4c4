/**
 * Every preset at a batch that tests can afford: those of fixed size with their own networks, those made
 * for any image thin and for a small one.
 */
import { conditionalVariant } from "../../src/config/conditional.ts";
import { dcgan } from "../../src/config/presets/dcgan.ts";
import { fewImages } from "../../src/config/presets/few_images.ts";
import type { ImageShape } from "../../src/config/presets/image_shape.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { r3gan } from "../../src/config/presets/r3gan.ts";
import { snganResnet, wganGpResnet } from "../../src/config/presets/resnets.ts";
import type { LayerSpec, NetworkSpec } from "../../src/config/network.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import type { StepInputs } from "../../src/engine/types.ts";
import { fillUniform } from "../../src/random/counter_random.ts";
import { buildTrainingStep, type TrainingStep } from "../../src/training/step.ts";

/** Of the presets with labels. */
const CLASSES = 10;

/** Not square, and the least that each preset can be made for. */
const tiny: ImageShape = { height: 6, width: 8, channels: 1 };
const tinyDcgan: ImageShape = { height: 12, width: 16, channels: 1 };
const thin = { generator: 6, discriminator: 5 };

/** With a small batch, and two updates of the discriminator where there are more. */
function withBatch(config: RunConfig, batchSize: number): RunConfig {
  const { update } = config;
  const discriminatorSteps = Math.min(2, update.discriminatorSteps);
  return { ...config, batchSize, update: { ...update, discriminatorSteps } };
}

/** With its penalties in every step: where a step does not compute one, its scalar is NaN. */
export function penalizedAlways({ objective, ...config }: RunConfig): RunConfig {
  const { penaltyEvery: _, ...always } = objective;
  return { ...config, objective: always };
}

/** By the preset's name; conditional variants say so. */
export const PRESET_CASES: Readonly<Record<string, RunConfig>> = {
  "digits": withBatch(presetConfig("digits"), 4),
  "digits-conditional": withBatch(presetConfig("digits-conditional"), 4),
  "mixture-1d": withBatch(presetConfig("mixture-1d"), 8),
  "uniform-to-normal": withBatch(presetConfig("uniform-to-normal"), 16),
  "mnist-mlp": withBatch(presetConfig("mnist-mlp"), 3),
  "cifar-dcgan": withBatch(presetConfig("cifar-dcgan"), 2),
  "ring-2d": withBatch(presetConfig("ring-2d"), 8),
  "grid-2d": withBatch(presetConfig("grid-2d"), 8),
  "stacked-mnist": withBatch(presetConfig("stacked-mnist"), 3),
  "dcgan": withBatch(dcgan(tinyDcgan, 2), 4),
  "conditional dcgan": withBatch(conditionalVariant(dcgan(tinyDcgan, 2)), 4),
  "sngan-resnet": withBatch(snganResnet(tiny, thin), 3),
  "conditional sngan-resnet": withBatch(conditionalVariant(snganResnet(tiny, thin)), 3),
  "wgan-gp-resnet": withBatch(wganGpResnet(tiny, thin), 3),
  "r3gan": withBatch(r3gan(tiny, 8), 3),
  "few-images": withBatch(penalizedAlways(fewImages({ ...tinyDcgan, channels: 3 }, 4)), 4),
  "conditional r3gan": withBatch(conditionalVariant(r3gan(tiny, 8)), 3),
};

/** A case's step. */
export function caseStep(config: RunConfig): TrainingStep {
  return buildTrainingStep(config, {
    shape: config.discriminator.inputShape,
    classCount: config.conditional ? CLASSES : undefined,
  });
}

/** What its first steps are given: numbers from -1 to 1 as samples, labels of every class. */
export function caseBatches(
  step: TrainingStep,
  { steps, seed }: { steps: number; seed: number },
): StepInputs[] {
  const size = step.program.inputs.real.shape.reduce((product, side) => product * side, 1);
  return Array.from({ length: steps }, (_, number): StepInputs => {
    const real = fillUniform(new Float32Array(size), { seed, stream: 1000, step: number })
      .map((value) => 2 * value - 1);
    const labels = Int32Array.from(
      { length: step.samplesPerStep },
      (_, i) => (7 * i + number) % CLASSES,
    );
    const inputs = { real, ...step.hostInputs(number) };
    return step.usesLabels ? { ...inputs, labels } : inputs;
  });
}

/** A network whose activations have derivatives that do not jump. */
export function smoothly(network: NetworkSpec): NetworkSpec {
  const layers = network.layers.map((layer): LayerSpec =>
    layer.type === "activation" && layer.fn.endsWith("relu")
      ? { ...layer, fn: "silu", alpha: undefined }
      : layer
  );
  return { ...network, layers };
}
