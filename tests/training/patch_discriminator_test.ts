/** Discriminators that give a map of logits, one for each patch (PatchGAN). */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { LayerSpec } from "../../src/config/network.ts";
import type { ObjectiveSpec } from "../../src/config/objective.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { fillUniform } from "../../src/random/counter_random.ts";
import { buildTrainingStep } from "../../src/training/step.ts";

const features: LayerSpec[] = [
  { type: "conv", filters: 4, kernel: 3, stride: 2, padding: 1 },
  { type: "activation", fn: "silu" },
  { type: "conv", filters: 1, kernel: 3, padding: 1 },
];

/** Two steps with this objective and these last layers of the discriminator. */
async function train(objective: ObjectiveSpec, ...last: LayerSpec[]) {
  const preset = presetConfig("digits");
  const config = {
    ...preset,
    batchSize: 3,
    generator: {
      ...preset.generator,
      inputShape: [64],
      layers: [
        { type: "dense", units: 64 },
        { type: "reshape", shape: [8, 8, 1] },
      ] satisfies LayerSpec[],
    },
    discriminator: {
      ...preset.discriminator,
      inputShape: [8, 8, 1],
      layers: [...features, ...last],
    },
    objective,
    ema: undefined,
  };
  const training = buildTrainingStep(config, { shape: [8, 8, 1] });
  const engine = createEagerEngine("cpu", "the CPU");
  const step = await engine.compileStep(training.program, training.initialState(3), 3);
  const losses: number[] = [];
  for (let number = 0; number < 2; number++) {
    const real = fillUniform(new Float32Array(3 * 64), { seed: 5, stream: 0, step: number });
    const scalars = await step.run([{ real, ...training.hostInputs(number) }], number);
    losses.push(scalars.dLoss[0], scalars.gLoss[0]);
  }
  const state = await step.readState();
  await step.dispose();
  await engine.dispose();
  return { losses, state, outputShape: training.discriminator.outputShape };
}

Deno.test("a map of logits trains as its mean where the losses are linear in the logits", async () => {
  const objective: ObjectiveSpec = { name: "wasserstein", gradientPenalty: { weight: 10 } };
  const map = await train(objective);
  const mean = await train(objective, { type: "global-avg-pool" });
  assertEquals([map.outputShape, mean.outputShape], [[4, 4, 1], [1]]);
  for (const [i, loss] of map.losses.entries()) assertAlmostEquals(loss, mean.losses[i], 1e-5);
  for (const [name, { data }] of Object.entries(map.state)) {
    for (const [i, value] of data.entries()) {
      assertAlmostEquals(value, mean.state[name].data[i], 1e-5, name);
    }
  }
});

Deno.test("every logit of a map has a loss of its own", async () => {
  for (const name of ["least-squares", "hinge", "non-saturating", "relativistic"] as const) {
    const map = await train({ name });
    const mean = await train({ name }, { type: "global-avg-pool" });
    // Each loss is convex: the mean of the losses is above the loss of the mean.
    const [ofMap, ofMean] = [map.losses[0], mean.losses[0]];
    assert(Number.isFinite(ofMap) && ofMap >= ofMean - 1e-6, `${name}: ${ofMap}, ${ofMean}`);
  }
});
