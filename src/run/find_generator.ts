/** Finds the exported generator that a task is asked for: one rule for sampling, measuring and serving. */
import { UserError } from "../errors.ts";
import { withSlashes } from "../files.ts";
import { findRun } from "./run_folder.ts";

/** An exported generator, and the run that it came from. */
export interface FoundGenerator {
  /** The path of the ONNX file. */
  model: string;
  /** The run's folder; undefined where the file itself was named. */
  run?: string;
}

/** Where to look, and how a message says what for. */
export interface FindGeneratorOptions {
  /** The folder of all runs. */
  runsFolder: string;
  /** What the caller does with the file, as in "Cannot {purpose} runs/00001-x": "sample from". */
  purpose: string;
}

/**
 * Finds a generator's file.
 * @param given a file's path, or a run as {@linkcode findRun} takes it: a path, name, number or "latest"
 * @throws {UserError} when there is no such file or run, or the run has no exported generator
 */
export async function findGenerator(
  given: string,
  { runsFolder, purpose }: FindGeneratorOptions,
): Promise<FoundGenerator> {
  const target = withSlashes(given);
  if (/\.onnx$/i.test(target)) {
    if (await isFile(target)) return { model: target };
    throw new UserError(
      `Cannot ${purpose} ${target}: there is no such file; name an ONNX file, a run, or latest`,
    );
  }
  if (await isFile(target)) return { model: target }; // another ending: the reader says what it is
  const run = await findRun(target, runsFolder);
  const model = `${run}/generator.onnx`;
  if (await isFile(model)) return { model, run };
  throw new UserError(
    `Cannot ${purpose} ${run}: it has no generator.onnx; export it with deno task export ${run}`,
  );
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
