/**
 * Checkpoints on disk. Random numbers, data order and schedules depend on nothing but the seed and the
 * step, so the state's tensors and the step are enough to continue a run.
 *
 * A checkpoint is a folder `checkpoints/<step>/` with `state.safetensors` and `checkpoint.json`. It is
 * written under another name and renamed when it is complete, so that a folder with a number for a name
 * is whole; its SHA-256 shows whether it still is.
 */
import { sha256Hex } from "../bytes.ts";
import { UserError } from "../errors.ts";
import type { Checkpoint } from "../training/store.ts";
import { PARTIAL_PREFIX, writeDurably, writeError } from "../files.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";

/** `checkpoint.json`: what a checkpoint holds besides its tensors. */
export interface CheckpointInfo extends Omit<Checkpoint, "state"> {
  /** The version of this format. */
  version: 1;
  /** SHA-256 of `state.safetensors`, hexadecimal. */
  stateSha256: string;
}

/** A checkpoint that was read. */
export interface StoredCheckpoint extends CheckpointInfo, Pick<Checkpoint, "state"> {}

const STATE_FILE = "state.safetensors";
const INFO_FILE = "checkpoint.json";

/**
 * Writes a checkpoint, then removes the oldest of those before it, so that `keep` are left.
 * @param folder the run's `checkpoints` folder
 * @param options.best the step of the best one, which stays and is not counted
 * @throws {UserError | StorageError} when it cannot be written; those before are untouched
 */
export async function writeCheckpoint(
  folder: string,
  checkpoint: Checkpoint,
  { keep, best }: { keep: number; best?: number },
): Promise<void> {
  const target = checkpointPath(folder, checkpoint.step);
  const aside = `${folder}/${PARTIAL_PREFIX}${Deno.pid}-${target.slice(folder.length + 1)}`;
  const { state, ...rest } = checkpoint;
  const bytes = encodeSafetensors(state, { step: String(checkpoint.step) });
  const info: CheckpointInfo = { version: 1, ...rest, stateSha256: await sha256Hex(bytes) };
  try {
    if (await holdsState(target, info.stateSha256)) return;
    await Deno.mkdir(aside, { recursive: true });
    await writeDurably(`${aside}/${STATE_FILE}`, bytes);
    await writeDurably(`${aside}/${INFO_FILE}`, encodeJson(info));
    await removeTree(target);
    await Deno.rename(aside, target);
  } catch (error) {
    await removeTree(aside).catch(() => {});
    throw writeError(target, error);
  }
  const earlier = (await checkpointSteps(folder))
    .filter((step) => step < checkpoint.step && step !== best);
  const surplus = earlier.slice(0, Math.max(0, earlier.length + 1 - keep));
  for (const step of surplus) await removeTree(checkpointPath(folder, step));
}

/** The folder of a step's checkpoint. @param folder the run's `checkpoints` folder */
export function checkpointPath(folder: string, step: number): string {
  return `${folder}/${String(step).padStart(8, "0")}`;
}

/** Removes the checkpoints after a step: what a resumed run makes again, or damaged ones. */
export async function removeLaterCheckpoints(folder: string, step: number): Promise<void> {
  const later = (await checkpointSteps(folder)).filter((other) => other > step);
  for (const other of later) await removeTree(checkpointPath(folder, other));
}

/** Whether a whole checkpoint with this state is there already, as after resuming at the last step. */
async function holdsState(path: string, stateSha256: string): Promise<boolean> {
  try {
    return (await readCheckpoint(path)).stateSha256 === stateSha256;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** The steps of the complete checkpoints in a folder, ascending. */
export async function checkpointSteps(folder: string): Promise<number[]> {
  const steps: number[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.isDirectory && /^\d{8,}$/.test(entry.name)) steps.push(Number(entry.name));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return steps.sort((a, b) => a - b);
}

/** Removes what a killed process left half-written. */
export async function removePartial(folder: string): Promise<void> {
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.name.startsWith(PARTIAL_PREFIX)) await removeTree(`${folder}/${entry.name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Reads the latest checkpoint that is whole.
 * @param onWarning called for each damaged one that is skipped
 * @throws {UserError} when there is none
 */
export async function readLatestCheckpoint(
  folder: string,
  onWarning: (message: string) => void = () => {},
): Promise<StoredCheckpoint> {
  const steps = await checkpointSteps(folder);
  for (const step of steps.reverse()) {
    try {
      return await readCheckpoint(checkpointPath(folder, step));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      onWarning(`${error.message}; trying the one before`);
    }
  }
  const found = steps.length ? `its ${steps.length} checkpoints are damaged` : "it has none";
  throw new UserError(
    `Cannot find a checkpoint in ${folder}: ${found}; a run writes one when it is interrupted or done`,
  );
}

/**
 * Reads one checkpoint.
 * @param path the checkpoint's own folder
 * @throws {UserError} when a file is missing, damaged or of another version
 */
export async function readCheckpoint(path: string): Promise<StoredCheckpoint> {
  const info = parseInfo(await readFile(`${path}/${INFO_FILE}`), path);
  const bytes = await readFile(`${path}/${STATE_FILE}`);
  const digest = await sha256Hex(bytes);
  if (digest !== info.stateSha256) {
    throw new UserError(
      `Cannot use ${path}: ${STATE_FILE} has SHA-256 ${
        digest.slice(0, 12)
      }..., and was written with ${info.stateSha256.slice(0, 12)}...`,
    );
  }
  return { ...info, state: decodeSafetensors(bytes, `${path}/${STATE_FILE}`) };
}

async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function parseInfo(bytes: Uint8Array, path: string): CheckpointInfo {
  let info: Partial<CheckpointInfo> | null;
  try {
    info = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new UserError(`Cannot read ${path}/${INFO_FILE}: it is not JSON`);
  }
  if (info?.version !== 1) {
    throw new UserError(
      `Cannot read ${path}: it is a checkpoint of version ${
        JSON.stringify(info?.version)
      }, and this ` +
        "ganforge reads 1",
    );
  }
  const { step, images, wallSeconds, rollbacks = 0, learningRateFactor = 1 } = info;
  const since = Object.values(info.optimizersSince ?? {});
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const isAmount = (value: unknown) => Number.isFinite(value) && (value as number) >= 0;
  const isWhole = [step, images, rollbacks, ...since].every(isCount) && isAmount(wallSeconds) &&
    isAmount(learningRateFactor) && learningRateFactor > 0 &&
    [info.engine, info.stateSha256].every((text) => typeof text === "string");
  if (!isWhole) {
    throw new UserError(
      `Cannot read ${path}/${INFO_FILE}: a field is missing or of the wrong type`,
    );
  }
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (/^\d+$/.test(name) && Number(name) !== step) {
    throw new UserError(
      `Cannot use ${path}: its ${INFO_FILE} is of step ${step}, and the folder of step ${
        Number(name)
      }`,
    );
  }
  return info as CheckpointInfo;
}

function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value, null, 2) + "\n");
}

async function removeTree(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
