/** A store that also writes what it records to a TensorBoard event file. `metrics.jsonl` stays the source. */
import type { MetricsLine, RunEvent, StepLog, TrainingStore } from "../../training/store.ts";
import type { EventFile } from "./event_file.ts";
import type { SummaryValue } from "./events.ts";

/** Fields of metrics that are no scalars of the training itself. */
const PROGRESS = ["images", "wallS", "stepMs"];

/**
 * Wraps a store.
 * @param file receives losses as `train/...`, speed as `progress/...`, measures as `evaluation/...`, and
 * rollbacks, resumes and warnings as text
 */
export function tensorboardStore(store: TrainingStore, file: EventFile): TrainingStore {
  return {
    ...store,
    metrics: alsoTo(store.metrics, {
      file,
      values: (line) => scalarsOf(line),
    }),
    evaluations: alsoTo(store.evaluations, {
      file,
      values: ({ measures }) =>
        Object.entries(measures).flatMap(([name, value]) =>
          value === null || value === undefined
            ? []
            : [{ tag: `evaluation/${name}`, scalar: value }]
        ),
    }),
    events: alsoTo(store.events, {
      file,
      values: (line) => [{ tag: "events", text: eventText(line) }],
    }),
  };
}

function alsoTo<Line extends { step: number }>(
  log: StepLog<Line>,
  { file, values }: { file: EventFile; values: (line: Line) => SummaryValue[] },
): StepLog<Line> {
  return {
    read: () => log.read(),
    async append(lines) {
      await log.append(lines);
      await file.append(lines.map((line) => ({ step: line.step, values: values(line) })));
    },
    async rewrite(lines) {
      const before = await log.read();
      await log.rewrite(lines);
      // A run that was rolled back continues at an earlier step: TensorBoard drops what is later.
      const last = lines.at(-1)?.step ?? 0;
      if (before.some(({ step }) => step > last)) await file.append([{ startAt: last + 1 }]);
    },
  };
}

function scalarsOf(line: MetricsLine): SummaryValue[] {
  return Object.entries(line).flatMap(([name, scalar]) =>
    name === "step"
      ? []
      : [{ tag: `${PROGRESS.includes(name) ? "progress" : "train"}/${name}`, scalar }]
  );
}

function eventText(line: RunEvent): string {
  switch (line.event) {
    case "rollback":
      return `Rolled back to step ${line.to}: ${line.fault}; learning rates times ` +
        `${line.learningRateFactor}`;
    case "resume":
      return `Resumed on ${line.engine}`;
    case "warning":
      return line.message;
    case "diverged":
      return `Diverged: ${line.fault}`;
  }
}
