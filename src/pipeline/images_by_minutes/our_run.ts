/**
 * A recipe of ganforge's own, trained for some minutes: a few timed steps say how many fit, a run of that many
 * saves checkpoints at the marks, and samples are drawn from these once it is done, so that drawing
 * costs no training time.
 */
import type { RunConfig } from "../../config/types.ts";
import type { DataSource } from "../../data/source.ts";
import { openEngine } from "../../engine/open.ts";
import { UserError } from "../../errors.ts";
import { compileNetwork, generatorWeights, seededLatents } from "../../evaluation/generate.ts";
import { networkBatches } from "../../evaluation/pixels.ts";
import { writeFileAtomically } from "../../files.ts";
import { buildNetwork } from "../../nn/mod.ts";
import { checkpointPath, checkpointSteps, readCheckpoint } from "../../run/checkpoint.ts";
import { runNames } from "../../run/run_folder.ts";
import type { RunCallbacks } from "../run_options.ts";
import { runTraining } from "../training_run.ts";
import { type SampleMark, writeImagesNpy, writeMarks } from "./sample_sets.ts";

/** A run of a recipe with a seed. */
export interface OurRun {
  config: RunConfig;
  data: DataSource;
  /** Where the run and its samples go. */
  folder: string;
  minutes: number;
  /** Times at which samples are taken. */
  marks: number;
  /** Samples of a mark. */
  samples: number;
  signal?: AbortSignal;
  callbacks: RunCallbacks;
}

/** Timed steps take this share of the run, or this long where that is shorter; chunks of them, at least. */
const TIMED = { share: 0.05, maxSeconds: 10, chunks: 3 };
/** Latents of the samples: seeds that no snapshot shows. */
const FIRST_SEED = 100_000;
const DRAW_BATCH = 100;

/** Trains the run, from where it stopped, and draws its samples. @returns whether it is complete */
export async function trainByMinutes(run: OurRun): Promise<boolean> {
  const { config, data, folder, signal, callbacks } = run;
  const steps = await plannedRunSteps(run);
  if (steps === undefined) return false;
  const everySteps = steps / run.marks;
  const planned: RunConfig = {
    ...config,
    duration: { steps },
    snapshots: { ...config.snapshots, everyEpochs: undefined, everySteps },
    checkpoints: { everySteps, everySeconds: 60, keep: 1000 },
  };
  const [started] = (await runNames(folder)).reverse();
  const path = started === undefined ? undefined : `${folder}/${started}`;
  const canResume = path && (await checkpointSteps(`${path}/checkpoints`)).length > 0;
  await using trained = await runTraining({
    config: planned,
    data,
    runsFolder: folder,
    resume: canResume ? path : undefined,
    signal,
    callbacks,
  });
  if (trained.result.interrupted) return false;
  callbacks.onStage?.(`drawing ${run.samples} samples at each of ${run.marks} times`);
  await drawMarks(run, { checkpoints: trained.folder!.checkpoints, everySteps, steps });
  return true;
}

/**
 * How many steps fit the minutes, a multiple of the marks: measured once, and kept, so that a run that goes
 * on has the same length.
 * @returns undefined where it was interrupted
 */
async function plannedRunSteps(run: OurRun): Promise<number | undefined> {
  const file = `${run.folder}/plan.json`;
  const kept = await Deno.readTextFile(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (kept !== undefined) {
    const steps = Number(/"steps":(\d+)/.exec(kept)?.[1]);
    if (Number.isInteger(steps / run.marks) && steps > 0) return steps;
    throw new UserError(
      `Cannot go on in ${run.folder}: plan.json has no number of steps; remove the folder to begin again`,
    );
  }
  run.callbacks.onStage?.("timing some steps");
  const stepMs = await measureStepMs(run);
  if (stepMs === undefined) return undefined;
  const { marks, minutes } = run;
  const steps = marks * Math.max(1, Math.round(60_000 * minutes / stepMs / marks));
  const plan = new TextEncoder().encode(JSON.stringify({ stepMs, steps }) + "\n");
  await writeFileAtomically(file, plan);
  return steps;
}

/** The median of milliseconds a step, without the first, which compiles. */
async function measureStepMs(
  { config, data, minutes, signal, callbacks }: OurRun,
): Promise<number | undefined> {
  const seconds = Math.min(TIMED.maxSeconds, TIMED.share * 60 * minutes);
  const enough = new AbortController();
  const times: number[] = [];
  let startedAt: number | undefined;
  const stop = AbortSignal.any([enough.signal, ...signal ? [signal] : []]);
  await using _timed = await runTraining({
    // Long enough that the learning rate is the beginning's; nothing of this run is kept.
    config: { ...config, duration: { steps: 1_000_000 } },
    data,
    signal: stop,
    callbacks: {
      onWarning: callbacks.onWarning,
      onProgress({ step, stepMs }) {
        const kinds = config.objective.penaltyEvery ?? 1; // each kind of step compiles once
        if (step <= kinds + 1) return;
        startedAt ??= performance.now();
        times.push(stepMs);
        const passed = (performance.now() - startedAt) / 1000;
        if (passed >= seconds && times.length >= TIMED.chunks) enough.abort();
      },
    },
  });
  if (signal?.aborted) return undefined;
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
}

/** Draws samples from the checkpoints at the marks; of the checkpoints only the last stays. */
async function drawMarks(
  { config, data, folder, samples }: OurRun,
  { checkpoints, everySteps, steps }: { checkpoints: string; everySteps: number; steps: number },
): Promise<void> {
  const { engine } = await openEngine("cpu"); // the samples are the same, whatever trained the run
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => engine.dispose());
  const generator = buildNetwork(config.generator);
  const runner = await compileNetwork(engine, generator, Math.min(DRAW_BATCH, samples));
  cleanup.defer(() => runner.dispose());
  const latents = seededLatents(config.latent, FIRST_SEED, samples);
  const at = (await checkpointSteps(checkpoints)).sort((a, b) => a - b)
    .filter((step) => step === steps || step % everySteps === 0);
  const marks: SampleMark[] = [];
  for (const step of at) {
    const { state, wallSeconds, images } = await readCheckpoint(checkpointPath(checkpoints, step));
    const output = await runner.run(generatorWeights(state), latents);
    const bytes = new Uint8Array(samples * data.sampleSize);
    let offset = 0;
    for (const batch of networkBatches(output.data as Float32Array, data.shape)) {
      bytes.set(batch.data, offset);
      offset += batch.data.length;
    }
    const file = `samples-${String(marks.length + 1).padStart(3, "0")}.npy`;
    await writeImagesNpy(`${folder}/${file}`, { shape: [samples, ...data.shape], data: bytes });
    marks.push({ file, seconds: wallSeconds, steps: step, images });
  }
  await writeMarks(folder, marks);
  for (const step of await checkpointSteps(checkpoints)) {
    if (step !== steps) await Deno.remove(checkpointPath(checkpoints, step), { recursive: true });
  }
}
