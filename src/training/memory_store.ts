/** A {@linkcode TrainingStore} in memory, for training without a run folder. */
import { UserError } from "../errors.ts";
import type {
  BestCheckpoint,
  Checkpoint,
  CheckpointStore,
  StepLog,
  TrainingStore,
} from "./store.ts";

/** Creates an empty store. @param name names the run in messages */
export function createMemoryStore(name = "this run"): TrainingStore {
  return {
    name,
    howToResume: "start again, with a runs folder if the next run should be resumable",
    checkpoints: new MemoryCheckpoints(name),
    metrics: new MemoryLog(),
    events: new MemoryLog(),
    evaluations: new MemoryLog(),
  };
}

class MemoryLog<Line extends { step: number }> implements StepLog<Line> {
  #lines: Line[] = [];

  read(): Promise<Line[]> {
    return Promise.resolve([...this.#lines]);
  }

  append(lines: readonly Line[]): Promise<void> {
    this.#lines.push(...lines);
    return Promise.resolve();
  }

  rewrite(lines: readonly Line[]): Promise<void> {
    this.#lines = [...lines];
    return Promise.resolve();
  }
}

class MemoryCheckpoints implements CheckpointStore {
  readonly #name: string;
  readonly #byStep = new Map<number, Checkpoint>();
  #best: BestCheckpoint | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  async write(
    checkpoint: Checkpoint,
    { keep, best }: { keep: number; best?: number },
  ): Promise<void> {
    this.#byStep.set(checkpoint.step, checkpoint);
    const earlier = (await this.steps()).filter((step) => step < checkpoint.step && step !== best);
    const surplus = earlier.slice(0, Math.max(0, earlier.length + 1 - keep));
    for (const step of surplus) this.#byStep.delete(step);
  }

  async readLatest(): Promise<Checkpoint> {
    const last = (await this.steps()).at(-1);
    if (last !== undefined) return this.#byStep.get(last)!;
    throw new UserError(`Cannot find a checkpoint of ${this.#name}: it has none`);
  }

  async read(step: number): Promise<Checkpoint> {
    const checkpoint = this.#byStep.get(step);
    if (checkpoint) return checkpoint;
    const steps = await this.steps();
    throw new UserError(
      `Cannot find the checkpoint of step ${step} of ${this.#name}: it has ` +
        (steps.length ? `those of ${steps.join(", ")}` : "none"),
    );
  }

  steps(): Promise<number[]> {
    return Promise.resolve([...this.#byStep.keys()].sort((a, b) => a - b));
  }

  nameOf(step: number): string {
    return `that of step ${step}, in memory`;
  }

  readBest(): Promise<BestCheckpoint | undefined> {
    return Promise.resolve(this.#best);
  }

  writeBest(best: BestCheckpoint | undefined): Promise<void> {
    this.#best = best;
    return Promise.resolve();
  }
}
