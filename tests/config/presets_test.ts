import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { conditionalVariant, hasLabelLayers } from "../../src/config/conditional.ts";
import { growthOf, parseImageShape, square } from "../../src/config/presets/image_shape.ts";
import { presetConfig, presets } from "../../src/config/presets/mod.ts";
import { withAssignments } from "../../src/config/assignments.ts";
import { UserError } from "../../src/errors.ts";
import { buildNetwork } from "../../src/nn/mod.ts";

const SIZED = ["dcgan", "sngan-resnet", "wgan-gp-resnet", "r3gan", "few-images"];

for (const family of SIZED) {
  Deno.test(`${family} makes and takes images of any power of two from 16 to 256, and others`, () => {
    for (const name of ["16", "32", "64", "128", "256", "28", "64x128", "48x32x1"]) {
      const config = presetConfig(`${family}@${name}`);
      const { height, width, channels } = parseImageShape(name, family);
      assertEquals(buildNetwork(config.generator).outputShape, [height, width, channels], name);
      assertEquals(config.discriminator.inputShape, [height, width, channels], name);
      assertEquals(buildNetwork(config.discriminator).outputShape, [1], name);
      assertEquals(config.preset, family);
    }
  });
}

Deno.test("dcgan at 64 pixels has the paper's channels, from 512 to 64", () => {
  const { generator, discriminator } = presetConfig("dcgan");
  const shapes = (network: ReturnType<typeof buildNetwork>, type: string) =>
    network.layers.filter((layer) => layer.type === type).map(({ outputShape }) => outputShape);
  assertEquals(shapes(buildNetwork(generator), "conv-transpose"), [
    [8, 8, 256],
    [16, 16, 128],
    [32, 32, 64],
    [64, 64, 3],
  ]);
  assertEquals(shapes(buildNetwork(discriminator), "conv"), [
    [32, 32, 64],
    [16, 16, 128],
    [8, 8, 256],
    [4, 4, 512],
  ]);
});

Deno.test("growthOf() starts from 3 to 7 pixels a side", () => {
  assertEquals(growthOf(square(64), "x", { minDoublings: 1 }), { base: [4, 4], doublings: 4 });
  assertEquals(growthOf(square(28), "x", { minDoublings: 1 }), { base: [7, 7], doublings: 2 });
  assertEquals(growthOf({ height: 48, width: 64, channels: 3 }, "x", { minDoublings: 1 }), {
    base: [3, 4],
    doublings: 4,
  });
  for (const side of [7, 36, 2048]) {
    assertThrows(
      () => growthOf(square(side), "dcgan", { minDoublings: 1 }),
      UserError,
      `for ${side} x ${side}`,
    );
  }
});

Deno.test("presetConfig() names what is wrong with a shape", () => {
  const messages: [string, string][] = [
    ["dcgan@big", "Cannot make the preset dcgan for big: expected a side, as in dcgan@64"],
    ["dcgan@8", "Cannot make the preset dcgan for 8 x 8: its networks halve both sides"],
    ["ring-2d@64", "its networks have one size; those of any size are dcgan, sngan-resnet"],
    ["dgcan@64", "Cannot find the preset dgcan@64 (did you mean dcgan?)"],
  ];
  for (const [name, message] of messages) {
    assertThrows(() => presetConfig(name), UserError, message);
  }
});

Deno.test("conditionalVariant() gives the label to every preset's networks", () => {
  for (const [name, preset] of Object.entries(presets)) {
    if (hasLabelLayers(preset)) continue;
    const config = conditionalVariant(preset);
    const generator = buildNetwork({ ...config.generator, classCount: 7 });
    const discriminator = buildNetwork({ ...config.discriminator, classCount: 7 });
    assertEquals([generator.usesLabels, discriminator.usesLabels], [true, true], name);
    assertEquals(discriminator.outputShape, [1], name);
    const objective = { ...preset.objective, classification: { weight: 1 } };
    const acGan = conditionalVariant({ ...preset, objective });
    assertEquals(buildNetwork({ ...acGan.discriminator, classCount: 7 }).outputShape, [8], name);
  }
});

Deno.test("conditionalVariant() keeps what the last layer was, also inside of blocks", () => {
  const { generator, discriminator } = conditionalVariant(presetConfig("sngan-resnet"));
  assertEquals(discriminator.layers.at(-1), { type: "projection-head", spectralNorm: true });
  const text = JSON.stringify(generator);
  assertEquals(text.includes('"batch-norm"'), false);
  assertStringIncludes(text, '"conditional-batch-norm"');
  assertThrows(
    () => conditionalVariant(presetConfig("digits-conditional")),
    UserError,
    "they have layers that take labels already",
  );
  const config = presetConfig("ring-2d");
  config.discriminator.layers.pop();
  assertThrows(
    () => conditionalVariant(config),
    UserError,
    "its last layer must be dense with 1 unit, and it is maxout",
  );
});

Deno.test("withAssignments() makes a preset conditional, and optional parts where they are not", () => {
  const conditional = withAssignments(presetConfig("digits"), ["conditional=true"]);
  const { preset: _, ...expected } = presetConfig("digits-conditional");
  const { preset: __, ...found } = conditional;
  assertEquals(found, expected);
  const acGan = withAssignments(presetConfig("digits"), [
    "conditional=true",
    "objective.classification.weight=0.5",
  ]);
  assertEquals(acGan.discriminator.layers.at(-1)?.type, "classifier-head");
  const { objective, augment } = withAssignments(presetConfig("mnist-mlp"), [
    "objective.r1.gamma=2",
    'augment.policies=["translation"]',
  ]);
  assertEquals(objective.r1, { gamma: 2 });
  assertEquals(augment, { policies: ["translation"] });
  assertThrows(
    () => withAssignments(presetConfig("digits"), ["augment.chance=1"]),
    UserError,
    "augment",
  );
});
