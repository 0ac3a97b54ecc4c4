/** Training and resuming runs, as a program calls them. Everything from outside is checked here. */
import { checkConfig } from "../config/check_config.ts";
import type { RunConfig } from "../config/types.ts";
import type { DataSource } from "../data/source.ts";
import { findRun, readRunConfig } from "../run/run_folder.ts";
import { checkWritable } from "../files.ts";
import { cacheOptions, openData } from "./open_data.ts";
import {
  checkRunOptions,
  type ResumeRunOptions,
  type RunCallbacks,
  type TrainRunOptions,
} from "./run_options.ts";
import { type TrainedRun, trainedRun } from "./trained_run.ts";
import { rankZeroFirst } from "./ranks.ts";
import { runTraining } from "./training_run.ts";

/**
 * Trains a GAN from the beginning.
 *
 * @example
 * ```ts
 * import { presetConfig, tensorData, trainRun } from "@ganforge/ganforge";
 *
 * const values = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i)); // 1,000 points
 * const config = { ...presetConfig("ring-2d"), duration: { steps: 5 }, device: "cpu" as const };
 * await using run = await trainRun(config, { data: tensorData(values, { shape: [2] }) });
 * console.log(run.result.step); // 5
 * ```
 *
 * @param config a complete config, such as `presetConfig()` returns, or a preset and what differs from
 * it, such as `{ preset: "digits", duration: { steps: 500 } }`
 * @throws {UserError} when the config, an option or the data is wrong; all faults of a config at once
 * @throws {TrainingDivergedError} when training diverged as often as the config allows
 * @throws {DeviceLostError} when the GPU was lost
 * @throws {StorageError} when the disk is full
 */
export async function trainRun(
  config: RunConfig | PresetChanges,
  options: TrainRunOptions = {},
): Promise<TrainedRun> {
  checkRunOptions(options, { doing: "train", others: [] });
  const { runsFolder, signal, ranks } = options;
  const isWriter = (ranks?.rank ?? 0) === 0;
  if (runsFolder !== undefined && isWriter) await checkWritable(runsFolder); // before minutes of decoding
  const opened = await rankZeroFirst(ranks, () => openRunData(config, { ...options, runsFolder }));
  return trainedRun(
    await runTraining({ ...opened, runsFolder, signal, ranks, callbacks: options }),
  );
}

/** A preset, and any options that differ from it. */
export interface PresetChanges {
  /** The preset's name. */
  preset: string;
  /** Options of a {@linkcode RunConfig}; parts are merged, `null` removes an option. */
  [option: string]: unknown;
}

/**
 * Continues a run from its latest checkpoint, in its folder.
 * @param run a run's folder, its name or number in `runsFolder`, or "latest"
 * @throws {UserError} when there is no such run, or the config, an option or the data does not fit it
 * @throws {TrainingDivergedError | DeviceLostError | StorageError} as {@linkcode trainRun}
 */
export async function resumeRun(run: string, options: ResumeRunOptions = {}): Promise<TrainedRun> {
  checkRunOptions(options, { doing: "resume", others: ["config"] });
  const { runsFolder = "runs", signal, ranks } = options;
  const resume = await findRun(run, runsFolder);
  const given = options.config ?? await readRunConfig(resume);
  const opened = await rankZeroFirst(ranks, () => openRunData(given, { ...options, runsFolder }));
  return trainedRun(
    await runTraining({ ...opened, resume, signal, ranks, callbacks: options }),
  );
}

/** What {@linkcode openRunData} may be given. */
type RunDataOptions = Pick<TrainRunOptions, "data" | "signal" | "runsFolder" | "cacheFolder">;

/**
 * Checks the config and opens its data, or takes those that are given.
 * @returns also what closes data that were opened here
 */
export async function openRunData(
  given: unknown,
  options: RunDataOptions & RunCallbacks,
): Promise<{ config: RunConfig; data: DataSource; close?: () => void }> {
  const { data: ready, signal, onLoading, onData, cacheFolder, runsFolder } = options;
  const isObject = typeof given === "object" && given !== null;
  const origin = "the config";
  if (ready && isObject) {
    const config = checkConfig({ ...given, data: ready.spec ?? { source: "memory" } }, origin);
    onData?.(ready);
    return { config, data: ready };
  }
  const config = checkConfig(given, origin);
  const data = await openData(config.data, {
    signal,
    onProgress: onLoading,
    ...cacheOptions(cacheFolder, runsFolder),
  });
  onData?.(data);
  return { config, data, close: () => data.close?.() };
}
