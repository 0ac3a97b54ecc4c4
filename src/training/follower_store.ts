/**
 * The store of a rank that writes nothing: rank 0 keeps the run's checkpoints and logs, and tells the others
 * what they need of them.
 */
import type { StepLog, TrainingStore } from "./store.ts";

/** Creates the store. */
export function createFollowerStore(): TrainingStore {
  const log = <Line extends { step: number }>(): StepLog<Line> => ({
    read: () => Promise.resolve([]),
    append: () => Promise.resolve(),
    rewrite: () => Promise.resolve(),
  });
  const never = () => Promise.reject(new TypeError("Only rank 0 reads checkpoints"));
  return {
    name: "this run",
    howToResume: "resume it as rank 0 says",
    checkpoints: {
      write: () => Promise.resolve(),
      readLatest: never,
      read: never,
      steps: () => Promise.resolve([]),
      nameOf: (step) => `that of step ${step}`,
      readBest: () => Promise.resolve(undefined),
      writeBest: () => Promise.resolve(),
    },
    metrics: log(),
    events: log(),
    evaluations: log(),
  };
}
