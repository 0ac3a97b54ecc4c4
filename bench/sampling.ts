/**
 * `deno task bench:sampling`: exporting generators and drawing from them, beside PyTorch's forward pass.
 * Every measurement has a process of its own, and the engines alternate in one run on one machine.
 */
import { type ParsedCommand, runTask, type TaskOutcome } from "../cli/command.ts";
import { coldTable, measureCold } from "./sampling/cold.ts";
import { exportTable, measureExports } from "./sampling/exports.ts";
import { readPlan, spec } from "./sampling/plan.ts";
import { measureSpeeds, speedTable } from "./sampling/speeds.ts";

if (import.meta.main) await runTask(spec, main);

async function main(command: ParsedCommand): Promise<TaskOutcome> {
  const plan = readPlan(command);
  const folder = await Deno.makeTempDir({ prefix: "ganforge-bench-" });
  try {
    const exports = await measureExports(plan, folder);
    const speeds = await measureSpeeds(plan, folder);
    const cold = await measureCold(plan, folder);
    console.log(
      [exportTable(exports), speedTable(plan, speeds), coldTable(plan, cold)].join("\n\n"),
    );
    return { json: { exports, ...speeds, cold } };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
