import { assertEquals, assertThrows } from "@std/assert";
import { measureFigure, measureText } from "../../src/config/evaluation.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { withAssignments } from "../../src/config/assignments.ts";
import { UserError } from "../../src/errors.ts";

Deno.test("withAssignments() brings evaluation into being, and asks how often", () => {
  const config = withAssignments(presetConfig("digits"), [
    "evaluation.everySteps=100",
    "evaluation.measure=frechet",
  ]);
  assertEquals(config.evaluation, { everySteps: 100, measure: "frechet" });
  assertThrows(
    () => withAssignments(presetConfig("digits"), ["evaluation.measure=frechet"]),
    UserError,
    "evaluation: it does not say how often; give everySteps or everyEpochs, or --evaluate-every N",
  );
  assertThrows(
    () => withAssignments(presetConfig("ring-2d"), ["evaluation.measure=beauty"]),
    UserError,
    "evaluation.measure: ",
  );
  assertEquals(withAssignments(presetConfig("ring-2d"), ["evaluation=null"]).evaluation, undefined);
});

Deno.test("presets of known densities are measured during training, and no others", () => {
  const measured = ["mixture-1d", "uniform-to-normal", "ring-2d", "grid-2d"];
  for (const name of measured) {
    assertEquals(typeof presetConfig(name).evaluation?.everyEpochs, "number", name);
  }
  for (const name of ["digits", "mnist-mlp", "dcgan", "stacked-mnist"]) {
    assertEquals(presetConfig(name).evaluation, undefined, name);
  }
});

Deno.test("measureText() writes shares, counts and figures each in their way", () => {
  assertEquals(measureText("high-quality", 0.98765), "high quality 98.8%");
  assertEquals(measureText("modes", 1000), "modes 1,000");
  assertEquals(measureText("jsd", 0.0123456), "JSD 0.01235");
  assertEquals(measureFigure("frechet", null), "not known");
});
