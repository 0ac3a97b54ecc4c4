/** A training run of several ranks: what must be the same on all, what each takes, what rank 0 tells the others. */
import metadata from "../../deno.json" with { type: "json" };
import { DEFAULTS } from "../config/defaults.ts";
import { configDifferences } from "../config/differences.ts";
import type { DistributedSpec, RunConfig } from "../config/types.ts";
import type { DataSource } from "../data/source.ts";
import { allGatherJson, type Communicator } from "../distributed/communicator.ts";
import type { Engine } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import { sha256 } from "../hash.ts";
import type { HostTensors } from "../tensor/types.ts";
import { broadcastState } from "../training/rank_group.ts";
import type { RankShare } from "../training/rank_share.ts";
import type { Checkpoint } from "../training/store.ts";

/** The part of a rank, and how ranks average; undefined where a process trains alone. */
export function shareOf(
  ranks: Communicator | undefined,
  spec: DistributedSpec | undefined,
): RankShare | undefined {
  if (!ranks || ranks.size === 1) return undefined;
  const { every, syncBatchNorm } = { ...DEFAULTS.distributed, ...spec };
  if (every > 1 && syncBatchNorm) {
    throw new UserError(
      `Cannot train with distributed.every ${every} and syncBatchNorm: ranks that average weights now and ` +
        "then exchange nothing in between; leave one of them out",
    );
  }
  return { index: ranks.rank, count: ranks.size, averagesGradients: every === 1, syncBatchNorm };
}

/** Threads of a rank: the machine's cores, shared out among its ranks. Undefined: as one process has it. */
export function rankThreads(ranks: Communicator | undefined): number | undefined {
  if (!ranks || ranks.size === 1) return undefined;
  return Math.max(1, Math.floor(navigator.hardwareConcurrency / ranks.ranksOnHost));
}

/** What several processes do differently from one, for the person: each a note. */
export function distributedNotes(
  config: RunConfig,
  share: RankShare | undefined,
): string[] {
  const { distributed, generator, discriminator, pack = DEFAULTS.pack } = config;
  if (!share) {
    return distributed
      ? ["distributed has no effect in one process: start several with mpirun or srun"]
      : [];
  }
  const text = JSON.stringify([generator, discriminator]);
  const notes: string[] = [];
  if (text.includes("batch-norm") && !share.syncBatchNorm) {
    notes.push(
      "batch norm takes its statistics over the part of each process; --set " +
        "distributed.syncBatchNorm=true takes them over the batch, with exchanges at each layer",
    );
  }
  if (text.includes('"minibatch-stddev"')) {
    notes.push("minibatch-stddev compares samples within the part of each process");
  }
  if (pack > 1) notes.push("packs are made within the part of each process");
  return notes;
}

/** What must be the same on all ranks. */
interface RankFacts {
  host: string;
  version: string;
  deno: string;
  engine: string;
  config: RunConfig;
  data: string;
  weights: string;
}

/**
 * Checks that all ranks run the same program on the same config and data.
 * @throws {UserError} on every rank, with the first difference
 */
export async function checkRanksAgree(
  ranks: Communicator,
  { config, data, engine, initial }: {
    config: RunConfig;
    data: DataSource;
    engine: Engine;
    initial: HostTensors;
  },
): Promise<void> {
  const names = Object.keys(initial).sort();
  const facts: RankFacts = {
    host: ranks.host,
    version: metadata.version,
    deno: Deno.version.deno,
    // Different GPUs round differently, and ranks must not.
    engine: engine.name === "webgpu" ? engine.description : engine.name,
    config,
    data: `${data.name}, ${data.count} samples (${data.fingerprint.slice(0, 12)})`,
    weights: sha256(...names.map((name) => new Uint8Array(initial[name].data.buffer))).slice(0, 12),
  };
  const all = await allGatherJson(ranks, facts);
  const [first] = all;
  for (const [rank, other] of all.entries()) {
    const difference = differenceOf(first, other);
    if (difference === undefined) continue;
    throw new UserError(
      `Cannot train in ${ranks.size} processes: rank ${rank} (${other.host}) differs from rank 0 ` +
        `(${first.host}): ${difference}; start all of them with the same command, files and version`,
    );
  }
}

function differenceOf(first: RankFacts, other: RankFacts): string | undefined {
  const pairs: [string, string, string][] = [
    ["ganforge", first.version, other.version],
    ["Deno", first.deno, other.deno],
    ["the engine", first.engine, other.engine],
  ];
  for (const [what, one, two] of pairs) {
    if (one !== two) return `${what} is ${two} there, and ${one} on rank 0`;
  }
  const changes = configDifferences(first.config, other.config);
  if (changes.length) return `the config has ${changes.slice(0, 3).join(", ")} (rank 0 -> rank)`;
  if (first.data !== other.data) {
    return `the data are ${other.data} there, and ${first.data} on rank 0`;
  }
  if (first.weights === other.weights) return undefined;
  return `the first weights are ${other.weights} there, and ${first.weights} on rank 0`;
}

/** Runs `open` on rank 0 first, and then on the others, which find in the cache what it has decoded. */
export async function rankZeroFirst<T>(
  ranks: Communicator | undefined,
  open: () => Promise<T>,
): Promise<T> {
  if (!ranks || ranks.size === 1) return await open();
  if (ranks.rank > 0) await ranks.barrier();
  const opened = await open();
  if (ranks.rank === 0) await ranks.barrier();
  return opened;
}

/** Rank 0's checkpoint to resume. @param like a state of the same names, shapes and types */
export async function broadcastCheckpoint(
  ranks: Communicator | undefined,
  checkpoint: Checkpoint | undefined,
  like: HostTensors,
): Promise<Checkpoint | undefined> {
  if (!ranks || ranks.size === 1) return checkpoint;
  const { state = like, ...info } = checkpoint ?? {};
  const [first] = await allGatherJson(ranks, checkpoint ? info as Omit<Checkpoint, "state"> : null);
  if (first === null) return undefined;
  return { ...first, state: await broadcastState(ranks, state) };
}
