/** A {@linkcode TrainingStore} in a run folder. */
import type { StepLog, TrainingStore } from "../training/store.ts";
import { readBest, readChosenCheckpoint, writeBest } from "./best_checkpoint.ts";
import {
  checkpointPath,
  checkpointSteps,
  readLatestCheckpoint,
  writeCheckpoint,
} from "./checkpoint.ts";
import { readEvaluations } from "./evaluations.ts";
import { readEvents } from "./events_log.ts";
import { appendLines, writeStepLines } from "./json_lines.ts";
import { readMetrics } from "./metrics_log.ts";
import type { RunFolder } from "./run_folder.ts";

/** What the training loop records, as the files of a run folder. */
export function folderStore(folder: RunFolder): TrainingStore {
  const { checkpoints } = folder;
  return {
    name: folder.path,
    howToResume: `continue with --resume ${folder.path}`,
    checkpoints: {
      write: (checkpoint, retention) => writeCheckpoint(checkpoints, checkpoint, retention),
      readLatest: (onWarning) => readLatestCheckpoint(checkpoints, onWarning),
      read: (step) => readChosenCheckpoint(checkpoints, step),
      steps: () => checkpointSteps(checkpoints),
      nameOf: (step) => checkpointPath(checkpoints, step),
      readBest: () => readBest(checkpoints),
      writeBest: (best) => writeBest(checkpoints, best),
    },
    metrics: fileLog(folder.metricsFile, readMetrics),
    events: fileLog(folder.eventsFile, readEvents),
    evaluations: fileLog(folder.evaluationsFile, readEvaluations),
  };
}

function fileLog<Line extends { step: number }>(
  file: string,
  read: (file: string) => Promise<Line[]>,
): StepLog<Line> {
  return {
    read: () => read(file),
    append: (lines) => appendLines(file, lines),
    rewrite: (lines) => writeStepLines(file, lines),
  };
}
