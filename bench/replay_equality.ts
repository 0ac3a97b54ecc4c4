/**
 * Whether replayed steps of whole presets leave the state of eager ones bit for bit. The tests ask it of
 * small ones; full ones take minutes on a CPU, so they are asked here.
 *
 *     deno run --allow-read --allow-env --allow-sys bench/replay_equality.ts PRESET... [--conditional] \
 *       [--steps 50] [--batch 2]
 *
 * A preset is named as for training, `dcgan@64` say; `--conditional` takes its variant with labels. With
 * `--small`, names are those of tests/training/preset_cases.ts.
 */
import { parseArgs } from "@std/cli/parse-args";
import { conditionalVariant } from "../src/config/conditional.ts";
import { presetConfig } from "../src/config/presets/mod.ts";
import type { RunConfig } from "../src/config/run_config.ts";
import { withWebGpu } from "../tests/engine/webgpu/helpers.ts";
import { assertReplayEqualsEager } from "../tests/engine/webgpu/replay.ts";
import { caseBatches, caseStep, PRESET_CASES } from "../tests/training/preset_cases.ts";

const { _: names, steps, batch, conditional, small } = parseArgs(Deno.args, {
  string: ["steps", "batch"],
  boolean: ["conditional", "small"],
  default: { steps: "50", batch: "2" },
});

for (const name of names.map(String)) {
  const startedAt = performance.now();
  const step = caseStep(configOf(name));
  const batches = caseBatches(step, { steps: Number(steps), seed: 1 });
  await withWebGpu(() => assertReplayEqualsEager(step, batches));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${name}: ${steps} steps, the same bits (${seconds} s)`);
}
Deno.exit(0);

function configOf(name: string): RunConfig {
  if (small) return PRESET_CASES[name];
  const preset = presetConfig(name);
  return { ...(conditional ? conditionalVariant(preset) : preset), batchSize: Number(batch) };
}
