/** The newer presets, with thin networks, train on the reference, and their generators become ONNX. */
import { assert, assertEquals } from "@std/assert";
import { conditionalVariant } from "../../src/config/conditional.ts";
import { dcgan } from "../../src/config/presets/dcgan.ts";
import { fewImages } from "../../src/config/presets/few_images.ts";
import type { ImageShape } from "../../src/config/presets/image_shape.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { r3gan } from "../../src/config/presets/r3gan.ts";
import { snganResnet, wganGpResnet } from "../../src/config/presets/resnets.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import { tf } from "../../src/tensor/tf.ts";
import type { Engine, StepInputs } from "../../src/engine/types.ts";
import type { HostTensor, HostTensors } from "../../src/tensor/types.ts";
import { compileNetwork, generatorWeights, seededLatents } from "../../src/evaluation/generate.ts";
import { fillUniform } from "../../src/random/counter_random.ts";
import { buildTrainingStep, type TrainingStep } from "../../src/training/step.ts";
import { penalizedAlways } from "./preset_cases.ts";

const CLASSES = 3;
const tiny: ImageShape = { height: 12, width: 16, channels: 1 };
const thin = { generator: 6, discriminator: 5 };
const withAcGan = (config: RunConfig): RunConfig => ({
  ...config,
  objective: { ...config.objective, classification: { weight: 1 } },
});

const CASES: Record<string, RunConfig> = {
  "dcgan": dcgan(tiny, 2),
  "conditional dcgan with a classifier": conditionalVariant(withAcGan(dcgan(tiny, 2))),
  "sngan-resnet": snganResnet(tiny, thin),
  "conditional sngan-resnet": conditionalVariant(snganResnet(tiny, thin)),
  "wgan-gp-resnet": wganGpResnet(tiny, thin),
  "conditional wgan-gp-resnet": conditionalVariant(wganGpResnet(tiny, thin)),
  "r3gan": r3gan(tiny, 8),
  "conditional r3gan": conditionalVariant(r3gan(tiny, 8)),
  "few-images": penalizedAlways(fewImages(tiny, 4)),
  "stacked-mnist": presetConfig("stacked-mnist"),
  "digits-conditional": presetConfig("digits-conditional"),
};

/** Biases that batch norm undoes: in the generators all but those before the first and after the last. */
const UNDONE: Record<string, RegExp> = {
  "sngan-resnet": /^generator\/residual_.*\/bias$/,
  "wgan-gp-resnet": /^generator\/residual_.*\/bias$/,
  "stacked-mnist": /^(generator\/conv-transpose_|discriminator\/conv_[23]\/).*bias$/,
};

/**
 * Whether a parameter has no effect on any loss, and so must not move: biases that batch norm undoes,
 * and, where only differences of logits count, what is added to all of them.
 */
function isIdle(name: string, { objective, preset }: RunConfig, step: TrainingStep): boolean {
  if (UNDONE[preset]?.test(name)) return true;
  const { layers } = step.discriminator;
  return ["wasserstein", "relativistic"].includes(objective.name) &&
    name === `discriminator/${layers[layers.length - 1].name}/bias`;
}

async function twoSteps(
  step: TrainingStep,
  { engine, config }: { engine: Engine; config: RunConfig },
): Promise<HostTensors> {
  const initial = step.initialState(2);
  const compiled = await engine.compileStep(step.program, initial, 2);
  const { shape } = step.program.inputs.real;
  const size = shape.reduce((a, b) => a * b, 1);
  const batches = [0, 1].map((number): StepInputs => {
    const real = fillUniform(new Float32Array(size), { seed: 2, stream: 9, step: number });
    const labels = Int32Array.from({ length: shape[0] }, (_, i) => i % CLASSES);
    const inputs = { real, ...step.hostInputs(number) };
    return step.usesLabels ? { ...inputs, labels } : inputs;
  });
  const scalars = await compiled.run(batches, 0);
  for (const [name, values] of Object.entries(scalars)) {
    assert(values.every(Number.isFinite), `${name}: ${values}`);
  }
  const state = await compiled.readState();
  await compiled.dispose();
  for (const network of [step.generator, step.discriminator]) {
    const role = network === step.generator ? "generator" : "discriminator";
    for (const { name, trainable } of network.parameters) {
      if (!trainable) continue;
      const [before, after] = [initial, state].map((tensors) => tensors[`${role}/${name}`].data);
      const moves = before.some((value, i) => value !== after[i]);
      assertEquals(
        moves,
        !isIdle(`${role}/${name}`, config, step),
        `whether ${role}/${name} moves`,
      );
    }
  }
  return state;
}

async function generate(
  step: TrainingStep,
  { state, engine, config }: { state: HostTensors; engine: Engine; config: RunConfig },
): Promise<HostTensor> {
  const runner = await compileNetwork(engine, step.generator, 3);
  const labels = step.usesLabels ? Int32Array.of(0, 1, 2) : undefined;
  const output = await runner.run(
    generatorWeights(state),
    seededLatents(config.latent, 0, 3),
    { labels },
  );
  await runner.dispose();
  return output;
}

for (const [name, preset] of Object.entries(CASES)) {
  Deno.test(`two steps of ${name} move every parameter that counts, and the generator is the same as ONNX`, async () => {
    const config: RunConfig = {
      ...preset,
      batchSize: 3,
      update: {
        ...preset.update,
        discriminatorSteps: Math.min(2, preset.update.discriminatorSteps),
      },
    };
    const sample = {
      shape: config.discriminator.inputShape,
      classCount: config.conditional ? CLASSES : undefined,
    };
    const step = buildTrainingStep(config, sample);
    const before = tf.memory().numTensors;
    const eager = createEagerEngine("cpu", "");
    const state = await twoSteps(step, { engine: eager, config });
    const expected = await generate(step, { state, engine: eager, config });
    await eager.dispose();
    assertEquals(tf.memory().numTensors, before);
    const engine = await createOnnxEngine({ threads: 1 });
    const actual = await generate(step, { state, engine, config });
    await engine.dispose();
    assertEquals(actual.shape, [3, ...sample.shape]);
    const differences = Array.from(expected.data, (value, i) => Math.abs(value - actual.data[i]));
    const largest = differences.reduce((a, b) => Math.max(a, b), 0);
    assert(largest < 1e-4, `the ONNX generator differs by ${largest}`);
    if (step.usesLabels) {
      const size = expected.data.length / 3;
      const images = [0, 1, 2].map((i) => String(expected.data.subarray(i * size, (i + 1) * size)));
      assertEquals(new Set(images).size, 3);
    }
  });
}
