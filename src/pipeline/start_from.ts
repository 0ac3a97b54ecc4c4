/** The first state of a run that starts from weights that were trained before. */
import { elementCount } from "../bytes.ts";
import { UserError } from "../errors.ts";
import { formatInteger } from "../text.ts";
import type { Network } from "../nn/mod.ts";
import { readChosenCheckpoint } from "../run/best_checkpoint.ts";
import { findRun, readRunConfig } from "../run/run_folder.ts";
import { decodeSafetensors } from "../run/safetensors.ts";
import type { HostTensors } from "../tensor/types.ts";
import { fromTorchWeights } from "./torch_weights.ts";

/** The state to start with, and what of it came from where. */
export interface StartedState {
  state: HostTensors;
  /** For the person: one line for each network, and one for each tensor that did not fit. */
  lines: string[];
}

/** The parts of a state that hold weights. Optimizers and adaptive augmentation start anew. */
const PARTS = ["generator", "discriminator", "ema"];

/** As many tensors that do not fit are named one by one. */
const NAMED_MISFITS = 12;

/** Weights that were trained before. */
interface Source {
  /** For messages: the run's folder and step, or the file. */
  name: string;
  weights: HostTensors;
}

/**
 * Puts the weights of a run or a file in the place of new ones, where names and shapes are the same. An EMA
 * starts from the source's, or from the generator's weights where the source keeps none.
 * @param from a run, as `findRun` takes it (its latest checkpoint), or a `.safetensors` file: a checkpoint's, or
 * one that `deno task export --format safetensors` wrote
 * @param initial the state that the run would start with
 * @throws {UserError} when there is no such run or file, or nothing of it fits
 */
export async function startFrom(
  from: string,
  { initial, networks, runsFolder }: {
    initial: HostTensors;
    networks: Readonly<Record<"generator" | "discriminator", Network>>;
    runsFolder: string;
  },
): Promise<StartedState> {
  const { name, weights } = await readSource(from, { networks, runsFolder });
  const given: HostTensors = { ...weights };
  const hasEma = Object.keys(weights).some((key) => key.startsWith("ema/"));
  if (!hasEma) {
    for (const [key, tensor] of Object.entries(weights)) {
      if (key.startsWith("generator/")) given[key.replace("generator/", "ema/")] = tensor;
    }
  }
  const state = { ...initial };
  const lines: string[] = [];
  const misfits: string[] = [];
  let taken = 0;
  for (const part of PARTS) {
    const keys = Object.keys(initial).filter((key) => key.startsWith(`${part}/`));
    if (keys.length === 0) continue;
    const fitting = keys.filter((key) => sameShape(given, initial, key));
    for (const key of fitting) state[key] = { ...given[key], data: given[key].data.slice() };
    taken += fitting.length;
    const values = fitting.reduce((sum, key) => sum + elementCount(initial[key].shape), 0);
    const own = part === "ema" && !hasEma ? ", from the generator's weights" : "";
    lines.push(
      `${part}: ${fitting.length} of ${keys.length} tensors (${
        formatInteger(values)
      } values) from ${name}${own}`,
    );
    if (part !== "ema") {
      misfits.push(
        ...keys.filter((key) => !fitting.includes(key)).map((key) =>
          `${key} starts anew: [${initial[key].shape.join(", ")}] here, ${
            shapeText(given, key)
          } there`
        ),
      );
    }
  }
  if (taken === 0) {
    throw new UserError(
      `Cannot start from ${name}: none of its ${
        Object.keys(weights).length
      } tensors has a name and a shape ` +
        "of these networks; use the preset and size that it was trained with",
    );
  }
  lines.push(...misfits.slice(0, NAMED_MISFITS));
  const more = misfits.length - NAMED_MISFITS;
  if (more > 0) lines.push(`${more} more tensors start anew`);
  return { state, lines };
}

function sameShape(given: HostTensors, wanted: HostTensors, key: string): boolean {
  return Object.hasOwn(given, key) && given[key].shape.join() === wanted[key].shape.join() &&
    given[key].dtype === wanted[key].dtype;
}

function shapeText(tensors: HostTensors, key: string): string {
  return Object.hasOwn(tensors, key) ? `[${tensors[key].shape.join(", ")}]` : "nothing";
}

async function readSource(
  from: string,
  { networks, runsFolder }: { networks: Readonly<Record<string, Network>>; runsFolder: string },
): Promise<Source> {
  if (/\.safetensors$/i.test(from)) return await readFile(from, networks);
  const run = await findRun(from, runsFolder);
  const config = await readRunConfig(run);
  const choice = config.evaluation?.export ?? "last";
  const { state, step } = await readChosenCheckpoint(`${run}/checkpoints`, choice);
  return { name: `${run}, step ${step}`, weights: weightsOf(state) };
}

async function readFile(
  path: string,
  networks: Readonly<Record<string, Network>>,
): Promise<Source> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    throw new UserError(`Cannot start from ${path}: ${(error as Error).message}`, { cause: error });
  }
  const tensors = decodeSafetensors(bytes, path);
  const own = weightsOf(tensors);
  if (Object.keys(own).length > 0) return { name: path, weights: own };
  return { name: path, weights: fromTorchWeights(networks, tensors) };
}

function weightsOf(state: HostTensors): HostTensors {
  return Object.fromEntries(
    Object.entries(state).filter(([key]) => PARTS.includes(key.slice(0, key.indexOf("/")))),
  );
}
