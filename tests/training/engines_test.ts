/** Steps with the options of src/config/stability.ts, and of thin presets, on three engines: the same numbers. */
import { assert, assertEquals } from "@std/assert";
import { conditionalVariant } from "../../src/config/conditional.ts";
import type { LayerSpec } from "../../src/config/network.ts";
import { dcgan } from "../../src/config/presets/dcgan.ts";
import type { ImageShape } from "../../src/config/presets/image_shape.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { r3gan } from "../../src/config/presets/r3gan.ts";
import { snganResnet, wganGpResnet } from "../../src/config/presets/resnets.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import type { Engine, StepInputs } from "../../src/engine/types.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../../src/engine/webgpu/engine.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { buildTrainingStep } from "../../src/training/step.ts";

const conv = (filters: number): LayerSpec => ({
  type: "conv",
  filters,
  kernel: 3,
  stride: 2,
  padding: 1,
});
const silu: LayerSpec = { type: "activation", fn: "silu" };

/** Images of 6 x 8 in two colors by smooth networks, whose rounding errors stay small. */
const images: RunConfig = {
  ...presetConfig("digits"),
  duration: { steps: 3 },
  batchSize: 4,
  latent: { dimension: 3, distribution: "normal" },
  generator: {
    inputShape: [3],
    init: "torch",
    layers: [
      { type: "dense", units: 96 },
      { type: "activation", fn: "tanh" },
      { type: "reshape", shape: [6, 8, 2] },
    ],
  },
  discriminator: {
    inputShape: [6, 8, 2],
    init: "torch",
    layers: [
      conv(4),
      silu,
      { type: "minibatch-stddev", groupSize: 2 },
      conv(3),
      silu,
      { type: "flatten" },
      { type: "dense", units: 1 },
    ],
  },
  generatorOptimizer: { type: "sgd", learningRate: 0.05 },
  discriminatorOptimizer: { type: "sgd", learningRate: 0.05 },
};

const CASES: Record<string, Partial<RunConfig>> = {
  "DiffAugment, minibatch deviation, R1": {
    augment: { policies: ["color", "translation", "cutout"] },
    objective: { name: "non-saturating", r1: { gamma: 0.5 } },
  },
  "adaptive augmentation of pairs": {
    augment: {
      policies: ["translation", "color"],
      probability: 0.5,
      adaptive: { target: 0, everySteps: 2, speedImages: 40 },
    },
    objective: { name: "relativistic" },
  },
  "ADA's transforms of squares in color, R1 of pairs": {
    augment: {
      policies: [
        "flip",
        "rotate",
        "scale",
        "fractional-translation",
        "brightness",
        "contrast",
        "luma-flip",
        "hue",
        "saturation",
      ],
      probability: 0.6,
      adaptive: { target: 0, everySteps: 2, speedImages: 40 },
    },
    objective: { name: "relativistic", r1: { gamma: 0.5 }, r2: { gamma: 0.5 } },
    generator: {
      ...images.generator,
      layers: [
        { type: "dense", units: 108 },
        { type: "activation", fn: "tanh" },
        { type: "reshape", shape: [6, 6, 3] },
      ],
    },
    discriminator: { ...images.discriminator, inputShape: [6, 6, 3] },
  },
  "scheduled penalties, beta2, EMA and augmentation": {
    augment: { policies: ["translation", "color"], probability: 0 },
    ema: { halfLifeImages: 20 },
    objective: { name: "relativistic", r1: { gamma: 1 }, r2: { gamma: 1 } },
    schedules: {
      gamma: { to: 0.1, images: 12 },
      beta2: { from: 0.9, to: 0.99, images: 12, shape: "linear" },
      emaHalfLifeImages: { from: 0, to: 20, images: 12 },
      augmentProbability: { to: 0.8, images: 12 },
    },
    discriminatorOptimizer: { type: "adam", learningRate: 1e-3, epsilon: 1e-3 },
  },
  "packs, noise and WGAN-GP over two critic updates": {
    pack: 2,
    instanceNoise: { sigma: 0.2, decaySteps: 3 },
    objective: { name: "wasserstein", gradientPenalty: { weight: 1 }, penaltyEvery: 2 },
    update: { ...images.update, discriminatorSteps: 2, latents: "shared" },
  },
};

/** Plain descent: Adam's first steps make a sign of every rounding error. */
const sgd = { type: "sgd", learningRate: 1e-3 } as const;

function plainly(preset: RunConfig): RunConfig {
  return {
    ...preset,
    batchSize: 2,
    duration: { steps: 3 },
    update: { ...preset.update, discriminatorSteps: 1 },
    generatorOptimizer: sgd,
    discriminatorOptimizer: sgd,
  };
}

const tiny: ImageShape = { height: 6, width: 8, channels: 1 };
const thin = { generator: 4, discriminator: 5 };

/** The presets' networks, thin. */
const PRESETS: Record<string, RunConfig> = {
  "conditional sngan-resnet": plainly(conditionalVariant(snganResnet(tiny, thin))),
  "wgan-gp-resnet": plainly(wganGpResnet(tiny, thin)),
  "r3gan": plainly(r3gan(tiny, 4)),
  "conditional dcgan with a classifier": plainly(conditionalVariant({
    ...dcgan({ ...tiny, height: 12, width: 12 }, 2),
    objective: { name: "non-saturating", classification: { weight: 1 } },
  })),
};

const CLASSES = 3;

async function threeSteps(config: RunConfig, engine: Engine): Promise<HostTensors> {
  const shape = config.discriminator.inputShape;
  const size = shape.reduce((a, b) => a * b, 1);
  const classCount = config.conditional ? CLASSES : undefined;
  const training = buildTrainingStep(config, { shape, classCount });
  const compiled = await engine.compileStep(training.program, training.initialState(4), 4);
  const batches = Array.from({ length: 3 }, (_, step): StepInputs => ({
    real: fillNormal(new Float32Array(training.samplesPerStep * size), {
      seed: 4,
      stream: 99,
      step,
    }),
    ...(training.usesLabels ? { labels: Int32Array.of(step % CLASSES, 2) } : {}),
    ...training.hostInputs(step),
  }));
  const scalars = await compiled.run(batches, 0);
  assert(Object.values(scalars).every((values) => values.every(Number.isFinite)));
  const state = await compiled.readState();
  await compiled.dispose();
  return state;
}

const hasAdapter = await openWebGpu() !== undefined;

const configs = {
  ...Object.fromEntries(
    Object.entries(CASES).map(([name, changes]) => [name, { ...images, ...changes }]),
  ),
  ...PRESETS,
};

for (const [name, config] of Object.entries(configs)) {
  Deno.test(`three steps give the same weights on every engine: ${name}`, async () => {
    const expected = await threeSteps(config, createEagerEngine("cpu", ""));
    const engines = [await createOnnxEngine({ threads: 1 })];
    if (hasAdapter) engines.push(await createWebGpuEngine());
    for (const engine of engines) {
      const actual = await threeSteps(config, engine);
      await engine.dispose();
      assertEquals(Object.keys(actual).sort(), Object.keys(expected).sort());
      for (const [key, { data }] of Object.entries(expected)) {
        const difference = Array.from(data).reduce(
          (most, value, i) => Math.max(most, Math.abs(value - actual[key].data[i])),
          0,
        );
        assert(difference < 1e-5, `${engine.name}: ${key} differs by ${difference}`);
      }
    }
  });
}

Deno.test("adaptive augmentation adjusts its probability every few steps, toward its target", async () => {
  const config: RunConfig = {
    ...images,
    ...CASES["adaptive augmentation of pairs"],
    augment: {
      policies: ["cutout"],
      adaptive: { target: -0.99, everySteps: 2, speedImages: 40 },
    },
    objective: { name: "hinge" },
  };
  const state = await threeSteps(config, createEagerEngine("cpu", ""));
  const probability = state["augment/probability"].data[0];
  // One move after two steps of four samples: 8 / 40 up, unless D took every real for a fake, then down to 0.
  assert(Math.abs(probability - 0.2) < 1e-6, `the probability is ${probability}`);
  assert(Math.abs(state["augment/signs"].data[0]) <= 1);
});
