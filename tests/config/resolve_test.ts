import { assertEquals, assertThrows } from "@std/assert";
import { presetConfig, presets } from "../../src/config/presets/mod.ts";
import { checkConfig, configDifferences, withAssignments } from "../../src/config/resolve.ts";
import { UserError } from "../../src/errors.ts";

Deno.test("every preset passes its own check and survives JSON", () => {
  for (const [name, preset] of Object.entries(presets)) {
    assertEquals(checkConfig(JSON.parse(JSON.stringify(preset)), name), preset);
  }
});

Deno.test("presetConfig() suggests the nearest name", () => {
  assertThrows(
    () => presetConfig("mnist-mpl"),
    UserError,
    "Cannot find the preset mnist-mpl (did you mean mnist-mlp?)",
  );
  assertThrows(() => presetConfig("toString"), UserError, "Cannot find the preset toString");
});

Deno.test("withAssignments() sets options by path", () => {
  const config = withAssignments(presetConfig("mnist-mlp"), [
    "batchSize=8",
    "generator.layers.0.units=12",
    "generatorOptimizer.learningRate=1e-3",
    'ema={"halfLifeImages": 500}',
    "device=cpu",
  ]);
  assertEquals(config.batchSize, 8);
  assertEquals(config.generator.layers[0], { type: "dense", units: 12 });
  assertEquals(config.generatorOptimizer.learningRate, 1e-3);
  assertEquals(config.ema, { halfLifeImages: 500 });
  assertEquals(config.device, "cpu");
});

Deno.test("withAssignments() removes an option that is set to null", () => {
  assertEquals(withAssignments(presetConfig("digits"), ["ema=null"]).ema, undefined);
});

const WRONG: [assignment: string, message: string][] = [
  ["batchSize", "expected path.to.option=value"],
  ["batchSize=0", "batchSize: "],
  ["batchSize=many", "batchSize: "],
  ["genrator.init=torch", "there is no genrator (did you mean generator?)"],
  ["learningRate=1", "Unrecognized key"],
  ["data.path=x", 'the source "digits" has no use for "path"'],
  ["seed=-1", "seed: "],
  [
    "objective.name=hing",
    'objective.name: "hing" is not known (did you mean hinge?); there are minimax, non-saturating, ',
  ],
  [
    'generator.layers.0={"type":"dens","units":3}',
    'generator.layers.0.type: "dens" is not known (did you mean dense?); there are dense, maxout, conv, ',
  ],
  ['generator.layers.0={"units":3}', "generator.layers.0.type: it is missing; there are dense, "],
  ["device=3", "device: it is 3; there are auto, webgpu, cpu"],
  [
    "generator.init=he-norm",
    'generator.init: it is none of what it may be ("he-norm" is not known (did you mean he-normal?); ' +
    "there are torch, glorot-uniform, he-normal, zeros | Invalid input: expected object, received string)",
  ],
  ["duration={}", "duration: it is none of what it may be (epochs: Invalid input: "],
];

Deno.test("withAssignments() names the option that is wrong", () => {
  for (const [assignment, message] of WRONG) {
    assertThrows(() => withAssignments(presetConfig("digits"), [assignment]), UserError, message);
  }
});

Deno.test("checkConfig() reports every fault on one line", () => {
  const broken = { ...presetConfig("digits"), batchSize: 0, seed: 1.5, extra: true };
  const error = assertThrows(() => checkConfig(broken, "my.json"), UserError, "Cannot use my.json");
  for (const part of ["batchSize: ", "seed: ", "extra"]) {
    assertEquals(error.message.includes(part), true, `${part} in ${error.message}`);
  }
  assertEquals(error.message.includes("\n"), false);
});

Deno.test("configDifferences() lists the options that differ", () => {
  const before = { ...presetConfig("digits"), batchSize: 64 };
  const after = withAssignments(before, ["batchSize=8", "update.discriminatorSteps=2"]);
  assertEquals(configDifferences(before, after), [
    "batchSize: 64 -> 8",
    "update.discriminatorSteps: 1 -> 2",
  ]);
  const without = withAssignments(before, ["ema=null", "pack=2"]);
  assertEquals(configDifferences(before, without), [
    `ema: ${JSON.stringify(before.ema)} -> none`,
    "pack: none -> 2",
  ]);
});
