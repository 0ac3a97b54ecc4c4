import { assert, assertEquals, assertThrows } from "@std/assert";
import { presetConfig, presets } from "../../src/config/presets/mod.ts";
import { withAssignments } from "../../src/config/assignments.ts";
import { checkConfig } from "../../src/config/check_config.ts";
import { describeIssues } from "../../src/config/describe_issues.ts";
import { configDifferences } from "../../src/config/differences.ts";
import { runConfigSchema } from "../../src/config/run_config.ts";
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
  ["batchSize=0", "batchSize: expected a whole number, 1 or more, found 0"],
  ["batchSize=many", 'batchSize: expected a whole number, 1 or more, found "many"'],
  ["batchsize=8", "there is no option batchsize (did you mean batchSize?)"],
  ["lerningRate=1", "no option lerningRate (did you mean generatorOptimizer.learningRate?)"],
  ["learningRate=1", "no option learningRate (did you mean generatorOptimizer.learningRate?)"],
  ["generatorOptimizer.lr=1", "(did you mean generatorOptimizer.learningRate?)"],
  ["epochs=3", "there is no option epochs (did you mean duration.epochs?)"],
  ["optimizer.lr=3", "there is no optimizer (did you mean generatorOptimizer?)"],
  ["generatorOptimizer.type=sgd", "generatorOptimizer.beta1 does not go with sgd: remove it"],
  ["genrator.init=torch", "there is no genrator (did you mean generator?)"],
  ["generator.layers.0.unit=4", "(did you mean generator.layers.0.units?)"],
  ["zzz=4", "there is no option zzz; there are version, preset, seed, device, data"],
  ["data.path=x", 'the source "digits" has no use for "path"'],
  ["seed=-1", "seed: expected a whole number, 0 to 4294967295, found -1"],
  [
    "objective.name=hing",
    'objective.name: "hing" is not known (did you mean hinge?); there are minimax, non-saturating, ',
  ],
  ["objective.name=lsgan", '"lsgan" is not known (did you mean least-squares?)'],
  [
    'generator.layers.0={"type":"dens","units":3}',
    'generator.layers.0.type: "dens" is not known (did you mean dense?); there are dense, maxout, conv, ',
  ],
  ['generator.layers.0={"units":3}', "generator.layers.0.type: it is missing; there are dense, "],
  ["device=3", "device: expected auto, webgpu, cpu, found 3"],
  ["device=gpu", 'device: "gpu" is not known (did you mean webgpu?); there are auto, webgpu, cpu'],
  [
    "generator.init=he-norm",
    'generator.init: "he-norm" is not known (did you mean he-normal?); there are torch, ' +
    "glorot-uniform, he-normal, zeros",
  ],
  ["duration={}", "duration: expected { epochs } or { steps }, found {}"],
  ['duration={"epochs":0}', "duration.epochs: expected a whole number, 1 or more, found 0"],
  ["data.size=[3,0]", "data.size.1: expected a whole number, 1 to 4096, found 0"],
  ["data.channels=5", "data.channels: expected 1"],
  ["generator.layers=[]", "generator.layers: expected a list that is not empty, found []"],
  [
    "objective={name:hinge}",
    "Cannot set objective to {name:hinge}: in JSON, names and text stand in double quotes, as in " +
    `'objective={"name":"hinge"}'`,
  ],
  ["ema={halfLifeImages: 5", `as in 'ema={"name":"hinge"}'`],
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

Deno.test("checkConfig() names unknown options first and never lists 300 characters of faults", () => {
  const error = assertThrows(() =>
    checkConfig({ version: 1, preset: "digits", batchsize: 3 }, "a")
  );
  assertEquals(
    (error as Error).message,
    "Cannot use a: there is no option batchsize (did you mean batchSize?); missing: seed, device, data, " +
      "duration, batchSize, latent, generator, discriminator, objective, update and 4 more " +
      "(docs/options.md); without its version it would take what is missing from its preset",
  );
  const junk = Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`${i}`.repeat(200), i]));
  for (const value of [junk, { ...presetConfig("digits"), ...junk, seed: "x".repeat(999) }]) {
    const result = runConfigSchema.safeParse(value);
    const text = describeIssues(result.error!, { value });
    assert(text.length < 300 && /and \d+ more/.test(text), `${text.length}: ${text}`);
  }
});

Deno.test("checkConfig() takes a preset with overrides", () => {
  const config = checkConfig({
    preset: "digits",
    duration: { steps: 10 },
    ema: null,
    generatorOptimizer: { type: "sgd", learningRate: 0.1 },
    discriminatorOptimizer: { learningRate: 0.5 },
    data: { source: "mnist", path: "x" },
    snapshots: { rows: 2 },
    augment: { policies: ["cutout"] },
  }, "my.json");
  const base = presetConfig("digits");
  const { ema: _, ...rest } = base;
  assertEquals(config, {
    ...rest,
    duration: { steps: 10 },
    generatorOptimizer: { type: "sgd", learningRate: 0.1 },
    discriminatorOptimizer: { ...base.discriminatorOptimizer, learningRate: 0.5 },
    data: { source: "mnist", path: "x" },
    snapshots: { ...base.snapshots, rows: 2 },
    augment: { policies: ["cutout"] },
  });
  assertEquals(checkConfig({ preset: "mnist-mlp", duration: { steps: 5 } }, "x").duration, {
    steps: 5,
  });
  assertEquals(checkConfig({ preset: "dcgan@32x32x1" }, "x"), presetConfig("dcgan@32x32x1"));
  const { preset, ...conditional } = checkConfig({ preset: "digits", conditional: true }, "x");
  const { preset: _preset, ...expected } = presetConfig("digits-conditional");
  assertEquals([preset, conditional], ["digits", expected]);
});

const NO_CONFIG: [value: unknown, message: string][] = [
  [[], 'Cannot use my.json: a config is an object of options, as in {"preset": "digits"}'],
  [{ batchSize: 3 }, "it has no version, so it must name the preset that it changes"],
  [{ preset: "digts" }, "Cannot find the preset digts (did you mean digits?)"],
  [{ preset: "digits", lr: 1 }, "no option lr (did you mean generatorOptimizer.learningRate?)"],
  [{ preset: "digits", seed: null }, "seed: it is missing; expected a whole number"],
  [JSON.parse('{"preset":"digits","__proto__":{"seed":3}}'), "Cannot set __proto__"],
  [{ ...presetConfig("digits"), version: 2, extra: 1 }, "what differs: there is no option extra"],
];

Deno.test("checkConfig() says what is no config", () => {
  for (const [value, message] of NO_CONFIG) {
    assertThrows(() => checkConfig(value, "my.json"), UserError, message);
  }
});

Deno.test("withAssignments() makes the other kind of duration, and parts and lists that are not there", () => {
  assertEquals(withAssignments(presetConfig("mnist-mlp"), ["duration.steps=5"]).duration, {
    steps: 5,
  });
  const { augment } = withAssignments(presetConfig("dcgan"), ["augment.policies.0=cutout"]);
  assertEquals(augment, { policies: ["cutout"] });
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
