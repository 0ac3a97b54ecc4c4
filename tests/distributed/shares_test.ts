/**
 * Steps of several ranks against the same steps of one: each rank has its part of the batch and draws its
 * part of the random numbers, so that weights agree but for rounding.
 */
import { assertEquals, assertLess, assertThrows } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import { UserError } from "../../src/errors.ts";
import { PRESET_CASES, smoothly } from "../training/preset_cases.ts";
import { distance, stepOf, trainRanks } from "./rank_training.ts";

const hasBatchNorm = (config: RunConfig) => JSON.stringify(config).includes("batch-norm");

/** Large, and of layers that others here have. */
const LEFT_OUT = ["cifar-dcgan", "digits-conditional"];

for (const [name, preset] of Object.entries(PRESET_CASES)) {
  if (LEFT_OUT.includes(name)) continue;
  const sync = hasBatchNorm(preset);
  const config = sync
    ? {
      ...preset,
      batchSize: preset.discriminator.inputShape.length === 1 ? 32 : 4,
      generator: smoothly(preset.generator),
      discriminator: smoothly(preset.discriminator),
    }
    : { ...preset, batchSize: 4 };
  Deno.test(`steps of ${name} by 2 ranks give the weights of one${sync ? ", by synced batch norm" : ""}`, async () => {
    const choice = { steps: sync ? 6 : 20, seed: 1 };
    const [whole] = await trainRanks(config, { ...choice, ranks: 1 });
    const [first, second] = await trainRanks(config, { ...choice, ranks: 2, sync });
    assertEquals(first.state, second.state);
    assertEquals(first.losses, second.losses);
    const { worst, where } = distance(whole.state, first.state, sync ? "tensor" : "element");
    assertLess(worst, 1e-5, where);
  });
}

Deno.test("a batch that ranks cannot share is refused, with sizes that they can", () => {
  const share = (count: number) => ({
    index: 0,
    count,
    averagesGradients: true,
    syncBatchNorm: false,
  });
  const config = { ...PRESET_CASES["ring-2d"], batchSize: 64 };
  const error = assertThrows(() => stepOf(config, share(3)), UserError);
  assertEquals(
    error.message,
    "Cannot cut a batch of 64 samples among 3 processes: each takes as many; use a batchSize of 63 or 66, " +
      "or another number of processes",
  );
  assertThrows(
    () => stepOf({ ...config, batchSize: 8 }, share(12)),
    UserError,
    "use a batchSize of 12, or",
  );
});
