/**
 * Run by training_test.ts as several ranks: trains a config, or resumes a run, as a program does that uses
 * the library. Arguments: the config or the run's folder, the folder of runs, steps for a resumed run.
 */
import { openCommunicator, resumeRun, trainRun } from "../../mod.ts";
import { readRunConfig } from "../../src/run/run_folder.ts";

const [target, runsFolder, steps] = Deno.args;
const ranks = openCommunicator();
await Deno.writeTextFile(`${runsFolder}/pid-${ranks.rank}`, String(Deno.pid));
const isConfig = target.endsWith(".json");
const options = {
  ranks,
  runsFolder,
  cacheFolder: null,
  onStart({ step, totalSteps }: { step: number; totalSteps: number }) {
    console.log(`from ${step} to ${totalSteps}`);
    Deno.writeTextFileSync(`${runsFolder}/started`, "");
  },
};
await using run = isConfig
  ? await trainRun(JSON.parse(await Deno.readTextFile(target)), options)
  : await resumeRun(target, {
    ...options,
    config: {
      ...await readRunConfig(target),
      ...(steps ? { duration: { steps: Number(steps) } } : {}),
    },
  });
await ranks.barrier();
console.log(`rank ${ranks.rank} is at step ${run.result.step}`);
ranks.close();
