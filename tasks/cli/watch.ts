/** What a person sees of a run on the terminal. */
import { formatInteger } from "../../src/text.ts";
import type { RunCallbacks, RunStart } from "../../src/pipeline/run_options.ts";
import { evaluationText, planText } from "../../src/evaluation/evaluation_plan.ts";
import { classText, dataRemarks, inspectSamples } from "../../src/pipeline/data_remarks.ts";
import { LoadingBar } from "./loading_bar.ts";
import { processMemory, ProgressLine } from "../../src/report/progress.ts";
import { outputClosed } from "../../src/report/terminal.ts";

/** A run's callbacks that print, and the way to end their progress line. */
export interface Watch {
  callbacks: RunCallbacks;
  /** Prints a line above the progress line. */
  log(message: string): void;
  /** Ends the progress line. */
  finish(): void;
}

/** Prints nothing: of several ranks only rank 0 speaks. */
export function silentWatch(): Watch {
  return { callbacks: {}, log() {}, finish() {} };
}

/** Prints what happens to a run. */
export function watchRun(): Watch {
  let line = new ProgressLine();
  const loading = new LoadingBar();
  let logitKind: RunStart["logitKind"] | undefined;
  const log = (message: string) => line.log(message);
  return {
    log,
    finish() {
      loading.finish();
      line.finish();
    },
    callbacks: {
      onLoading: (progress) => loading.update(progress),
      onData(data) {
        loading.finish();
        line = new ProgressLine({
          unit: data.kind === "image" ? "images" : "points",
          memory: processMemory,
        });
        log(`data      ${data.description}`);
        const classes = classText(data);
        if (classes) log(`classes   ${classes}`);
        const facts = data.pixels ? inspectSamples(data) : { copies: [], blank: [] };
        for (const note of [...data.notes ?? [], ...dataRemarks(data, facts)]) {
          log(`note      ${note}`);
        }
      },
      onStage: (what) => log(`prepare   ${what}`),
      onEngine({ description, reason, hint }) {
        log(`device    ${description} (${reason})`);
        if (hint) log(`hint      ${hint}`);
      },
      onStart(start) {
        const { folder, step, totalSteps, evaluation, remark, ranks, notes } = start;
        const { generatorParameters, discriminatorParameters } = start;
        logitKind = start.logitKind;
        log(
          `networks  generator ${formatInteger(generatorParameters)} parameters, ` +
            `discriminator ${formatInteger(discriminatorParameters)}`,
        );
        for (const line of start.from ?? []) log(`weights   ${line}`);
        if (ranks) log(`ranks     ${ranks}`);
        log(`run       ${folder}`);
        if (evaluation) log(`measures  ${planText(evaluation)}`);
        for (const note of remark ? [remark, ...notes] : notes) log(`note      ${note}`);
        const from = step ? `on from step ${formatInteger(step)}` : "from the start";
        log(`training  ${from} to step ${formatInteger(totalSteps)}; Ctrl-C saves and stops`);
      },
      onEvaluation({ line: found, measure, isBest }) {
        const step = formatInteger(found.step);
        const figures = evaluationText(found, measure);
        log(`measured  step ${step}: ${figures}${isBest ? " (the best so far)" : ""}`);
      },
      onProgress: (progress) => line.update({ ...progress, logitKind }),
      onWarning: (message) => log(`warning   ${message}`),
    },
  };
}

/** What a run says when it is asked to stop. @param folder the run's; undefined before training has begun */
export function stoppingText(folder: string | undefined, isTrained: boolean): string {
  if (isTrained) return "stopping  after this part of the export; training is done and saved";
  return folder === undefined
    ? "stopping  before training has begun"
    : "stopping  after this chunk of steps, to save a checkpoint; Ctrl-C again to quit now";
}

/**
 * Runs `work` with a signal that Ctrl-C (or a polite kill) aborts, or that nobody reads the output any
 * more, as behind `| head -1`; a second Ctrl-C ends the process at once. SIGUSR1 aborts it too: `mpirun`
 * passes it on to its processes, and Slurm sends it before a job's time is up.
 * @returns what `work` gives, or undefined when it gave up because of the signal
 */
export async function withInterrupt<T>(
  work: (signal: AbortSignal) => Promise<T>,
  onInterrupt: () => void,
): Promise<T | undefined> {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) Deno.exit(130);
    controller.abort();
    onInterrupt();
  };
  const stopQuietly = () => controller.abort();
  outputClosed.addEventListener("abort", stopQuietly);
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM", "SIGUSR1"];
  for (const name of signals) Deno.addSignalListener(name, interrupt);
  try {
    return await work(controller.signal);
  } catch (error) {
    const { aborted, reason } = controller.signal;
    if (aborted && (error === reason || (error as Error)?.name === "AbortError")) return undefined;
    throw error;
  } finally {
    outputClosed.removeEventListener("abort", stopQuietly);
    for (const name of signals) Deno.removeSignalListener(name, interrupt);
  }
}
