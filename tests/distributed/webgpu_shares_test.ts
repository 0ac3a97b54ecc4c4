/** Steps of several ranks on WebGPU against the same steps of one process, as shares_test.ts has them on the CPU. */
import { assertEquals, assertLess } from "@std/assert";
import { createWebGpuEngine } from "../../src/engine/webgpu/engine.ts";
import { test } from "../engine/webgpu/helpers.ts";
import { PRESET_CASES, smoothly } from "../training/preset_cases.ts";
import { TINY } from "../tiny_config.ts";
import { distance, trainRanks } from "./rank_training.ts";

/** Not relativistic: there the last bias has no gradient but rounding, of which Adam makes full steps. */
const TINY_CASE = {
  ...TINY,
  batchSize: 6,
  objective: { name: "non-saturating" as const },
  discriminator: smoothly(TINY.discriminator),
};

const CASES = {
  "mixture-1d": { config: PRESET_CASES["mixture-1d"], sync: false },
  "a network with dropout and synced batch norm": {
    config: {
      ...TINY_CASE,
      generator: smoothly(TINY.generator),
      update: { ...TINY.update, discriminatorBatch: "concatenated" as const },
    },
    sync: true,
  },
};

for (const [name, { config, sync }] of Object.entries(CASES)) {
  test(`steps of ${name} by 2 ranks on WebGPU give the weights of one`, async () => {
    const choice = { steps: 6, seed: 1, open: createWebGpuEngine };
    const [whole] = await trainRanks(config, { ...choice, ranks: 1 });
    const [first, second] = await trainRanks(config, { ...choice, ranks: 2, sync });
    assertEquals(first.state, second.state);
    assertEquals(first.losses, second.losses);
    const { worst, where } = distance(whole.state, first.state, sync ? "tensor" : "element");
    assertLess(worst, 1e-5, where);
  });
}
