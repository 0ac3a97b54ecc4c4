/**
 * What the ranks of a run say to each other. A rank is one process of several that train, sample or
 * evaluate together; a single process is rank 0 of 1, for which none of this costs anything.
 */

/** The processes that work together, as one of them sees them. Calls are collective: all ranks make the same ones. */
export interface Communicator {
  /** This process: 0 to `size - 1`. Rank 0 writes files and talks to the person. */
  readonly rank: number;
  /** How many processes there are. */
  readonly size: number;
  /** The name of this process's machine. */
  readonly host: string;
  /** Ranks on this machine, this one included. */
  readonly ranksOnHost: number;
  /** Which ranks, through what, for the person at the terminal. */
  readonly description: string;
  /**
   * Replaces the values by their mean over all ranks, with the same bits on every rank and in every run of
   * as many ranks. Events are handled meanwhile.
   */
  allReduceMean(values: Float32Array<ArrayBuffer>): Promise<void>;
  /** Gives every rank the bytes of rank 0, whatever the others pass. */
  broadcast(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
  /** Gives every rank the bytes of all ranks, in the order of the ranks; they may differ in length. */
  allGather(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>[]>;
  /** Waits until all ranks are here, without keeping a core busy; for waits that may be long. */
  barrier(): Promise<void>;
  /** Ends all ranks at once with this exit code. */
  abort(exitCode: number): never;
  /** Says goodbye to the other ranks; each must. */
  close(): void;
}

/** The communicator of a process that works alone. */
export function singleProcess(): Communicator {
  return {
    rank: 0,
    size: 1,
    host: "this machine",
    ranksOnHost: 1,
    description: "one process",
    allReduceMean: () => Promise.resolve(),
    broadcast: (bytes) => Promise.resolve(bytes.slice()),
    allGather: (bytes) => Promise.resolve([bytes.slice()]),
    barrier: () => Promise.resolve(),
    abort: (exitCode) => Deno.exit(exitCode),
    close() {},
  };
}

/** Gives every rank the values of all ranks, in the order of the ranks. @param value anything that JSON keeps */
export async function allGatherJson<Value>(
  ranks: Communicator,
  value: Value,
): Promise<Value[]> {
  const all = await ranks.allGather(new TextEncoder().encode(JSON.stringify(value)));
  return all.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
}
