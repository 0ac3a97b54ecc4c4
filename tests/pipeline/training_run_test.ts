import { formatBytes } from "../../src/text.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../src/errors.ts";
import { checkWeightsFit } from "../../src/pipeline/training_run.ts";
import { buildTrainingStep } from "../../src/training/step.ts";
import { TINY } from "../tiny_config.ts";

Deno.test("checkWeightsFit() says how many bytes weights need and how many there are", () => {
  const step = buildTrainingStep(TINY, { shape: TINY.discriminator.inputShape });
  const numbers = [step.generator, step.discriminator]
    .flatMap(({ parameters }) => parameters)
    .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const needed = 8 * numbers;
  assertEquals(checkWeightsFit(step, undefined), undefined);
  assertEquals(checkWeightsFit(step, needed), undefined);
  const { message } = assertThrows(() => checkWeightsFit(step, needed - 1), UserError);
  assertEquals(
    message,
    "Cannot train these networks: two copies of their weights alone need " +
      `${formatBytes(needed)} (${needed} bytes), and ${formatBytes(needed - 1)} (${
        needed - 1
      } bytes) are available; use smaller networks`,
  );
});
