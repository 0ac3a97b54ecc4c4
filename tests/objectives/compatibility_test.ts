import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { ObjectiveSpec } from "../../src/config/objective.ts";
import type { ActivationName, LayerSpec, NetworkSpec } from "../../src/config/network.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import type { AugmentPolicy } from "../../src/config/stability.ts";
import { UserError } from "../../src/errors.ts";
import { buildNetwork } from "../../src/nn/mod.ts";
import { checkObjective } from "../../src/objectives/compatibility.ts";
import { buildTrainingStep } from "../../src/training/step.ts";

function discriminator(norm: LayerSpec) {
  const layers: LayerSpec[] = [{ type: "dense", units: 4 }, norm, { type: "dense", units: 1 }];
  return buildNetwork({ inputShape: [2], layers, init: "torch" });
}

const withBatchNorm = discriminator({ type: "batch-norm" });
const withLayerNorm = discriminator({ type: "layer-norm" });

Deno.test("checkObjective() refuses gradient penalties over batch norm, and names the layer", () => {
  const penalties: Partial<ObjectiveSpec>[] = [
    { gradientPenalty: { weight: 10 } },
    { dragan: { weight: 10 } },
    { r1: { gamma: 1 } },
    { r2: { gamma: 1 } },
  ];
  for (const penalty of penalties) {
    const spec: ObjectiveSpec = { name: "wasserstein", ...penalty };
    checkObjective(spec, withLayerNorm);
    assertThrows(
      () => checkObjective(spec, withBatchNorm),
      UserError,
      `objective.${
        Object.keys(penalty)[0]
      }: the discriminator's layer batch-norm_1 mixes the samples`,
    );
  }
  checkObjective({ name: "wasserstein", weightClip: 0.01 }, withBatchNorm);
});

Deno.test("checkObjective() refuses a real label where the objective has no target", () => {
  checkObjective({ name: "non-saturating", realLabel: 0.9 }, withBatchNorm);
  assertThrows(
    () => checkObjective({ name: "hinge", realLabel: 0.9 }, withBatchNorm),
    UserError,
    "Cannot train with objective.realLabel 0.9: the hinge objective has no target for reals",
  );
});

Deno.test("checkObjective() refuses lazy penalties where there is none", () => {
  checkObjective({ name: "hinge", r1: { gamma: 1 }, penaltyEvery: 4 }, withLayerNorm);
  assertThrows(
    () => checkObjective({ name: "hinge", penaltyEvery: 4 }, withLayerNorm),
    UserError,
    "objective.penaltyEvery 4: there is no penalty to be lazy about",
  );
});

Deno.test("checkObjective() refuses a Wasserstein critic whose gradient nothing bounds", () => {
  assertThrows(
    () => checkObjective({ name: "wasserstein" }, withBatchNorm),
    UserError,
    "Cannot train with the wasserstein objective alone: nothing bounds the critic's gradient",
  );
  const normed: LayerSpec = { type: "dense", units: 3, spectralNorm: true };
  checkObjective({ name: "wasserstein" }, discriminator(normed));
  checkObjective(
    { name: "wasserstein" },
    discriminator({ type: "residual", body: [{ ...normed, units: 4 }] }),
  );
  checkObjective({ name: "wasserstein", weightClip: 0.01 }, withBatchNorm);
  checkObjective({ name: "wasserstein", r1: { gamma: 1 } }, withLayerNorm);
});

/** What is wrong with a config of these options, on points of two coordinates unless `shape` says otherwise. */
function refusal(
  changes: Partial<RunConfig>,
  { shape = [2], classCount }: { shape?: number[]; classCount?: number } = {},
): string {
  const config = { ...presetConfig("ring-2d"), ...changes };
  try {
    buildTrainingStep(config, { shape, classCount });
    return "";
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

function network(inputShape: number[], ...layers: LayerSpec[]): NetworkSpec {
  return { inputShape, layers, init: "torch" };
}

const labeled = network([2], { type: "label-embedding", units: 2 }, { type: "dense", units: 2 });
const projecting = network([2], { type: "projection-head" });
const classifying = network([2], { type: "classifier-head" });

Deno.test("checkCombination() refuses what would not mean what it says", () => {
  const cases: [Parameters<typeof refusal>, string][] = [
    [
      [{ augment: { policies: ["color"] } }],
      "Cannot augment samples of shape [2]: color are for images",
    ],
    [
      [{ pack: 3 }],
      "Cannot pack a batch of 100 by 3: some samples would be left over; use a batchSize that 3 divides, such as 102",
    ],
    [
      [{ generator: labeled }, { classCount: 3 }],
      "Cannot train unconditionally: the generator's layer label-embedding_1 takes class labels",
    ],
    [[{ conditional: true }], "Cannot train a conditional network: the data has no labels"],
    [[{ conditional: true }, { classCount: 3 }], "no layer of the generator takes labels"],
    [
      [{ conditional: true, generator: labeled }, { classCount: 3 }],
      "no layer of the discriminator takes labels",
    ],
    [
      [{ conditional: true, generator: labeled, discriminator: projecting, pack: 2 }, {
        classCount: 3,
      }],
      "Cannot train with pack 2: the samples of a pack have classes of their own",
    ],
    [
      [{ conditional: true, generator: labeled, discriminator: classifying }, { classCount: 3 }],
      "the discriminator must end in one logit, [1], or a map of logits, [height, width, 1], and it ends in [4]",
    ],
    [
      [{ objective: { name: "hinge", classification: { weight: 1 } } }, { classCount: 3 }],
      "the discriminator must end in a classifier-head, [4], and it ends in [1]",
    ],
    [
      [{ generator: network([2], { type: "minibatch-stddev" }, { type: "dense", units: 2 }) }],
      "Cannot use minibatch-stddev_1 in the generator",
    ],
    [
      [{
        discriminator: network([2], { type: "minibatch-stddev" }, { type: "dense", units: 1 }),
        update: { ...presetConfig("ring-2d").update, discriminatorBatch: "concatenated" },
      }],
      "its groups would mix reals with fakes; use separate",
    ],
    [
      [{
        discriminator: network([2], { type: "dropout", rate: 0.3, atSampling: true }, {
          type: "dense",
          units: 1,
        }),
      }],
      "Cannot use dropout_1 in the discriminator: it is random when samples are drawn",
    ],
  ];
  for (const [given, message] of cases) assertStringIncludes(refusal(...given), message);
  assertEquals(refusal({ pack: 2 }), "");
  const fits = { conditional: true, generator: labeled, discriminator: projecting };
  assertEquals(refusal(fits, { classCount: 3 }), "");
});

Deno.test("checkCombination() refuses to adapt augmentation where logits have no sign", () => {
  const image = { shape: [4, 4, 1] };
  const changes: Partial<RunConfig> = {
    augment: { policies: ["color"], adaptive: {} },
    generator: network([2], { type: "dense", units: 16 }, { type: "reshape", shape: [4, 4, 1] }),
    discriminator: network([4, 4, 1], { type: "flatten" }, { type: "dense", units: 1 }),
  };
  assertStringIncludes(
    refusal({ ...changes, objective: { name: "least-squares" } }, image),
    "Cannot adapt augmentation under the least-squares objective",
  );
  assertEquals(refusal({ ...changes, objective: { name: "relativistic" } }, image), "");
});

Deno.test("checkCombination() refuses quarter turns of what is no square, and hues of gray", () => {
  const given = (height: number, channels: number): Partial<RunConfig> => ({
    generator: network([2], { type: "dense", units: height * 4 * channels }, {
      type: "reshape",
      shape: [height, 4, channels],
    }),
    discriminator: network([height, 4, channels], { type: "flatten" }, { type: "dense", units: 1 }),
  });
  const refused = (policy: AugmentPolicy, height: number, channels: number): string =>
    refusal({ ...given(height, channels), augment: { policies: ["flip", policy] } }, {
      shape: [height, 4, channels],
    });
  assertStringIncludes(refused("rotate", 6, 3), "a quarter turn of 6 x 4 pixels has another shape");
  assertStringIncludes(
    refused("hue", 4, 1),
    "Cannot augment by hue: it needs 3 channels, and these",
  );
  assertStringIncludes(refused("saturation", 4, 1), "Cannot augment by saturation");
  assertEquals([refused("rotate", 4, 3), refused("hue", 4, 3), refused("luma-flip", 4, 1)], [
    "",
    "",
    "",
  ]);
});

const activation = (fn: ActivationName): LayerSpec => ({ type: "activation", fn });

Deno.test("checkCombination() refuses a discriminator that gives no logits", () => {
  const ending = (fn: ActivationName, name: ObjectiveSpec["name"], ...after: LayerSpec[]): string =>
    refusal({
      discriminator: network([2], { type: "dense", units: 1 }, activation(fn), ...after),
      objective: { name, ...(name === "wasserstein" ? { weightClip: 0.01 } : {}) },
    });
  assertStringIncludes(
    ending("sigmoid", "non-saturating"),
    "Cannot train a discriminator that ends in sigmoid: it gives values from 0 to 1, and the " +
      "non-saturating objective takes logits, which may be any number; leave that layer out",
  );
  const passing: LayerSpec[] = [{ type: "dropout", rate: 0.5 }, { type: "flatten" }];
  for (const name of ["minimax", "hinge", "wasserstein", "relativistic"] as const) {
    assertStringIncludes(ending("tanh", name, ...passing), `the ${name} objective takes logits`);
    assertEquals(ending("leaky-relu", name), "");
  }
  assertEquals(ending("sigmoid", "least-squares"), "");
  assertStringIncludes(ending("softmax", "least-squares"), "it gives shares of 1");
});

Deno.test("checkCombination() refuses a generator of images without dark pixels", () => {
  const images = (fn: ActivationName): string =>
    refusal({
      generator: network([2], { type: "dense", units: 16 }, activation(fn), {
        type: "reshape",
        shape: [4, 4, 1],
      }),
      discriminator: network([4, 4, 1], { type: "flatten" }, { type: "dense", units: 1 }),
    }, { shape: [4, 4, 1] });
  assertStringIncludes(
    images("sigmoid"),
    "Cannot train a generator of images that ends in sigmoid: it gives values from 0 to 1, and " +
      "pixels are from -1 to 1; end it in tanh",
  );
  assertEquals([images("tanh"), images("linear"), images("elu")], ["", "", ""]);
  const points = network([2], { type: "dense", units: 2 }, activation("sigmoid"));
  assertEquals(refusal({ generator: points }), ""); // points may lie anywhere
});

Deno.test("checkCombination() refuses batch norm of vectors over a batch of one", () => {
  const normed = network([2], { type: "dense", units: 2 }, { type: "batch-norm" });
  const alone = { batchSize: 1, generator: normed };
  assertStringIncludes(
    refusal(alone),
    "Cannot train with a batch of 1 over the generator's layer batch-norm_1: less their mean, its values " +
      "are all 0; use a larger batchSize, or layer-norm there",
  );
  assertEquals(refusal({ ...alone, batchSize: 2 }), "");
  const normedFirst = network([2], { type: "batch-norm" }, { type: "dense", units: 1 });
  const packed = { batchSize: 2, pack: 2, discriminator: normedFirst };
  const plain = network([2], { type: "dense", units: 2 });
  assertStringIncludes(refusal({ ...packed, generator: plain }), "the discriminator's layer");
  const update = { ...presetConfig("ring-2d").update, discriminatorBatch: "concatenated" as const };
  assertEquals(refusal({ ...packed, generator: plain, update }), "");
});
