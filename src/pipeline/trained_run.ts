/** A run that has ended: draw samples, export its generator, evaluate it, or write its report. */
import type { RunConfig } from "../config/types.ts";
import type { DataSource } from "../data/source.ts";
import { UserError } from "../errors.ts";
import type { Evaluation } from "../evaluation/evaluation.ts";
import { type SampleList, type SampleOptions, Sampler } from "../sampler/mod.ts";
import type { TrainingResult } from "../training/train.ts";
import { evaluateSampler, type RunEvaluationOptions, writeEvaluation } from "./evaluate_run.ts";
import { chosenGenerator } from "./chosen_generator.ts";
import {
  type ExportedRun,
  exportGenerator,
  exportModel,
  type GeneratorExportOptions,
} from "./export_generator.ts";
import { type FinishedFiles, finishRun } from "./finish_run.ts";
import type { CompletedTraining } from "./training_run.ts";

/** A run that has ended. Dispose of it, with `await using` say, to give its memory back. */
export interface TrainedRun extends AsyncDisposable {
  /** What was trained. */
  readonly config: RunConfig;
  /** What it was trained on. */
  readonly data: DataSource;
  /** The run's folder; undefined for a run in memory. */
  readonly folder: string | undefined;
  /** How far training went, and the state that it reached. */
  readonly result: TrainingResult;
  /**
   * Draws samples with the weights of the last step, through the exported generator: the same seed gives
   * the same sample as the written file does.
   * @throws {UserError} when an option is out of range, or contradicts another or the generator
   */
  sample(options?: SampleOptions): Promise<SampleList>;
  /**
   * Writes the generator as an ONNX file, after comparing its values with the trainer's.
   * @throws {UserError} when there is no such checkpoint, `out` is missing or cannot be written, or the
   * values are too far from the trainer's; nothing is written then
   */
  export(options?: GeneratorExportOptions): Promise<ExportedRun>;
  /**
   * Measures samples of the generator, with the weights of the last step, against the data.
   * @throws {UserError} when an option does not fit the data
   */
  evaluate(options?: RunEvaluationOptions): Promise<Evaluation>;
  /**
   * Exports the generator, draws samples from the file as an app would, and writes `report.md` with its
   * plots; only in a run folder.
   * @throws {UserError} when the run is in memory
   */
  finish(options?: FinishOptions): Promise<FinishedFiles>;
}

/** How to finish a run. */
export interface FinishOptions {
  /** Aborting it ends the work before its next part, with the signal's reason. */
  signal?: AbortSignal;
}

/** What {@linkcode TrainedRun} does, for a training that has ended. */
export function trainedRun(training: CompletedTraining): TrainedRun {
  return new CompletedRun(training);
}

class CompletedRun implements TrainedRun {
  readonly config: RunConfig;
  readonly data: DataSource;
  readonly folder: string | undefined;
  readonly result: TrainingResult;
  readonly #training: CompletedTraining;
  #sampler: Promise<Sampler> | undefined;

  constructor(training: CompletedTraining) {
    this.#training = training;
    this.config = training.config;
    this.data = training.data;
    this.folder = training.folder?.path;
    this.result = training.result;
  }

  async sample(options: SampleOptions = {}): Promise<SampleList> {
    return await (await this.#openSampler()).sample(options);
  }

  async export(options: GeneratorExportOptions = {}): Promise<ExportedRun> {
    const out = options.out ?? (this.folder && `${this.folder}/generator.onnx`);
    if (out === undefined) {
      throw new UserError(
        "Cannot export the run: it is in memory, so name the file to write with out",
      );
    }
    const { engine } = this.#training;
    const trained = await chosenGenerator(this.#training, options.checkpoint);
    return await exportGenerator(trained, out, { ...options, engine });
  }

  async evaluate(options: RunEvaluationOptions = {}): Promise<Evaluation> {
    const sampler = await this.#openSampler();
    const measured = await evaluateSampler(sampler, {
      ...options,
      model: this.folder ?? "a run in memory",
      data: this.data,
      spec: this.config.data,
    });
    if (options.out !== undefined) await writeEvaluation(measured, options.out);
    return measured.evaluation;
  }

  async finish({ signal }: FinishOptions = {}): Promise<FinishedFiles> {
    const { folder } = this.#training;
    if (folder) return await finishRun({ ...this.#training, folder }, { signal });
    throw new UserError(
      "Cannot finish the run: it is in memory, and report.md needs a run folder; train it with a " +
        "runsFolder",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sampler = await this.#sampler?.catch(() => undefined);
    await sampler?.dispose();
    await this.#training[Symbol.asyncDispose]();
  }

  /** The sampler of the last step's weights; opened once. */
  #openSampler(): Promise<Sampler> {
    this.#sampler ??= (async () => {
      const model = await exportModel(await chosenGenerator(this.#training, "last"));
      return await Sampler.load(model.bytes, { device: "wasm" });
    })();
    return this.#sampler;
  }
}
