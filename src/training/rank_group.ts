/**
 * What the ranks of a training run agree on: what to do next, the state to go on with, and that their states
 * are the same. Without other ranks nothing is exchanged.
 */
import { concatBytes } from "../bytes.ts";
import { allGatherJson, type Communicator } from "../distributed/communicator.ts";
import type { CompiledStep } from "../engine/types.ts";
import { GanforgeError } from "../errors.ts";
import { sha256 } from "../hash.ts";
import type { HostTensors } from "../tensor/types.ts";
import type { Checkpoint, TrainingStore } from "./store.ts";

/** What the loop decides at its top; all ranks must decide alike. */
export interface LoopDecision {
  /** Whether the run was told to stop. */
  isAborted: boolean;
  /** Whether samples are to be measured now. */
  isEvaluationDue: boolean;
  /** Whether a checkpoint is overdue by the clock. */
  isSaveOverdue: boolean;
  /** Steps of the next chunk. */
  chunkSteps: number;
}

/**
 * Agrees on what to do next: rank 0's clock counts, and whoever was told to stop stops all. Waits for ranks
 * that still write or measure.
 */
export async function agreeOn(ranks: Communicator, own: LoopDecision): Promise<LoopDecision> {
  await ranks.barrier();
  const all = await allGatherJson(ranks, own);
  return { ...all[0], isAborted: all.some(({ isAborted }) => isAborted) };
}

/** Rank 0's state. @param own of the same names, shapes and types */
export async function broadcastState(ranks: Communicator, own: HostTensors): Promise<HostTensors> {
  const bytes = await ranks.broadcast(
    ranks.rank === 0 ? stateBytes(own) : new Uint8Array(0),
  );
  const result: HostTensors = {};
  let at = 0;
  for (const name of Object.keys(own).sort()) {
    const { shape, dtype, data } = own[name];
    const part = bytes.slice(at, at + data.byteLength).buffer;
    at += data.byteLength;
    result[name] = dtype === "float32"
      ? { shape, dtype, data: new Float32Array(part) }
      : { shape, dtype, data: new Int32Array(part) };
  }
  return result;
}

/** What a run that is rolled back needs of a checkpoint. */
type GoodCheckpoint = Pick<Checkpoint, "step" | "state" | "optimizersSince">;

/**
 * The state to go back to, which rank 0 reads for all ranks.
 * @param options.hasCheckpoint whether the run has saved one; before, it goes back to its first state
 */
export async function readGoodCheckpoint(
  { ranks, store }: { ranks?: Communicator; store: TrainingStore },
  { hasCheckpoint, initial, onWarning }: {
    hasCheckpoint: boolean;
    initial: () => HostTensors;
    onWarning?: (message: string) => void;
  },
): Promise<GoodCheckpoint> {
  const isReader = !ranks || ranks.rank === 0;
  const good: GoodCheckpoint = hasCheckpoint && isReader
    ? await store.checkpoints.readLatest(onWarning)
    : { step: 0, state: initial() };
  if (!ranks) return good;
  const { state, ...own } = good;
  const [{ step, optimizersSince }] = await allGatherJson<Omit<GoodCheckpoint, "state">>(
    ranks,
    own,
  );
  return { step, optimizersSince, state: await broadcastState(ranks, state) };
}

/** Replaces the state of a rank's step by the mean of all ranks'. */
export async function averageCompiled(
  ranks: Communicator | undefined,
  compiled: CompiledStep,
): Promise<void> {
  if (!ranks) return;
  await compiled.writeState(await averageStates(ranks, await compiled.readState()));
}

/** The mean of all ranks' states; whole numbers stay as they are. */
async function averageStates(ranks: Communicator, own: HostTensors): Promise<HostTensors> {
  const floats = Object.keys(own).sort().filter((name) => own[name].dtype === "float32");
  const flat = new Float32Array(floats.reduce((sum, name) => sum + own[name].data.length, 0));
  let at = 0;
  for (const name of floats) {
    flat.set(own[name].data, at);
    at += own[name].data.length;
  }
  await ranks.allReduceMean(flat);
  const result: HostTensors = { ...own };
  at = 0;
  for (const name of floats) {
    const { length } = own[name].data;
    result[name] = { ...own[name], data: flat.slice(at, at + length) };
    at += length;
  }
  return result;
}

/** The means of scalars of the same steps over all ranks. */
export async function averageScalars(
  ranks: Communicator,
  own: Record<string, Float32Array>,
): Promise<Record<string, Float32Array>> {
  const names = Object.keys(own).sort();
  const means: Record<string, Float32Array> = {};
  for (const name of names) {
    const values = own[name].slice();
    await ranks.allReduceMean(values);
    means[name] = values;
  }
  return means;
}

/**
 * Checks that the ranks have not drifted apart: what they compute of equal numbers must be equal.
 * @throws {GanforgeError} where it is not
 */
export async function checkSameState(
  ranks: Communicator,
  state: HostTensors,
  step: number,
): Promise<void> {
  const all = await allGatherJson(ranks, { host: ranks.host, hash: sha256(stateBytes(state)) });
  const other = all.findIndex(({ hash }) => hash !== all[0].hash);
  if (other < 0) return;
  throw new GanforgeError(
    `Training cannot go on: at step ${step} the weights of rank ${other} (${
      all[other].host
    }) are not those ` +
      `of rank 0 (${
        all[0].host
      }), so these machines round differently; use machines of one kind, or ` +
      "average weights now and then with --set distributed.every=100",
  );
}

function stateBytes(state: HostTensors): Uint8Array<ArrayBuffer> {
  return concatBytes(
    Object.keys(state).sort().map((name) => {
      const { buffer, byteOffset, byteLength } = state[name].data;
      return new Uint8Array(buffer, byteOffset, byteLength);
    }),
  );
}
