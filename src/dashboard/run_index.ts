/**
 * The list of runs: each is read again only when one of its files has changed, so that a list of hundreds
 * costs some calls of `stat` a second.
 */
import { DEFAULTS } from "../config/defaults.ts";
import { checkpointPath, checkpointSteps } from "../run/checkpoint.ts";
import { readEvents } from "../run/events_log.ts";
import { readBest } from "../run/best_checkpoint.ts";
import { runNames } from "../run/run_folder.ts";
import { type Curves, readCurves } from "./curves.ts";
import { endState, isRunning, lastLine, type RunSummary } from "./run_summary.ts";

/** Files whose change makes a run another line of the list. */
const WATCHED = [
  "config.json",
  "data.json",
  "metrics.jsonl",
  "events.jsonl",
  "evaluations.jsonl",
  "generator.onnx",
  "report.md",
];

/** Metrics' fields that are no scalars of the training. */
const BOOKKEEPING = new Set(["step", "images", "wallS", "stepMs"]);

/** Keeps the summaries of a folder of runs. */
export class RunIndex {
  readonly folder: string;
  readonly #known = new Map<string, { stamp: string; summary: RunSummary }>();

  /** The curves that are being read: one run's after the other's, so that memory stays small. */
  #reading: Promise<unknown> = Promise.resolve();

  /** @param folder the folder of all runs */
  constructor(folder: string) {
    this.folder = folder;
  }

  /** All runs, the newest first. */
  async list(): Promise<RunSummary[]> {
    const names = (await runNames(this.folder)).reverse();
    const present = new Set(names);
    for (const name of this.#known.keys()) if (!present.has(name)) this.#known.delete(name);
    return await Promise.all(names.map((name) => this.#summary(name)));
  }

  /** One run, or undefined where there is none of that name. */
  async find(name: string): Promise<RunSummary | undefined> {
    if (!(await runNames(this.folder)).includes(name)) return undefined;
    return await this.#summary(name);
  }

  /** A run's curves, of at most about `points` points. */
  curves(name: string, points: number): Promise<Curves> {
    const next = this.#reading.then(() =>
      readCurves(`${this.folder}/${name}/metrics.jsonl`, points)
    );
    this.#reading = next.catch(() => {});
    return next;
  }

  async #summary(name: string): Promise<RunSummary> {
    const path = `${this.folder}/${name}`;
    const running = await isRunning(path);
    const times = await Promise.all(WATCHED.map((file) => changedAt(`${path}/${file}`)));
    const stamp = `${running} ${times.join()}`;
    const known = this.#known.get(name);
    if (known?.stamp === stamp) return known.summary;
    const summary = await readSummary(path, { name, running, updated: Math.max(...times) });
    this.#known.set(name, { stamp, summary });
    return summary;
  }
}

/** In milliseconds since 1970; 0 where there is no such file. */
async function changedAt(file: string): Promise<number> {
  try {
    return (await Deno.stat(file)).mtime?.getTime() ?? 0;
  } catch {
    return 0;
  }
}

/** What a list needs of a config, of whichever kind. */
interface AnyConfig {
  preset?: string;
  name?: string;
  device?: string;
  batchSize?: number;
  duration?: { steps?: number; epochs?: number };
  update?: { discriminatorSteps?: number };
}

async function readSummary(
  path: string,
  { name, running, updated }: { name: string; running: boolean; updated: number },
): Promise<RunSummary> {
  let config: AnyConfig;
  try {
    config = JSON.parse(await Deno.readTextFile(`${path}/config.json`));
  } catch (error) {
    return unreadable(name, updated, (error as Error).message.replace(/\s+/g, " "));
  }
  const data = await readJson(`${path}/data.json`) as { name?: string; count?: number };
  const last = await lastLine(`${path}/metrics.jsonl`) ?? {};
  const events = await readEvents(`${path}/events.jsonl`);
  const [saved = 0] = (await checkpointSteps(`${path}/checkpoints`).catch(() => [])).slice(-1);
  const step = Math.max(number(last.step), saved);
  const totalSteps = plannedSteps(config, data.count);
  const best = await readBest(`${path}/checkpoints`);
  const engine = await savedBy(`${path}/checkpoints`, saved) ?? config.device ?? "auto";
  const images = number(last.images);
  const stepMs = number(last.stepMs);
  const perStep = number(last.step) > 0 ? images / number(last.step) : 0;
  return {
    name,
    state: running ? "running" : endState({ step, totalSteps, events }),
    preset: config.preset ?? config.name ?? DEFAULTS.model.name,
    data: data.name ?? "",
    device: engine,
    step,
    totalSteps,
    images,
    seconds: number(last.wallS),
    imagesPerSecond: stepMs > 0 ? perStep * 1000 / stepMs : null,
    scalars: Object.fromEntries(
      Object.entries(last).filter(([key, value]) =>
        !BOOKKEEPING.has(key) && typeof value === "number"
      ),
    ) as Record<string, number>,
    best: best ? { measure: best.measure, value: best.value, step: best.step } : null,
    updated,
    hasModel: await changedAt(`${path}/generator.onnx`) > 0,
  };
}

/** The engine that wrote a checkpoint. */
async function savedBy(folder: string, step: number): Promise<string | undefined> {
  const { engine } = await readJson(`${checkpointPath(folder, step)}/checkpoint.json`);
  return typeof engine === "string" ? engine : undefined;
}

function plannedSteps(config: AnyConfig, sampleCount: number | undefined): number | null {
  const { duration, batchSize, update } = config;
  if (duration?.steps !== undefined) return duration.steps;
  if (duration?.epochs === undefined || sampleCount === undefined || !batchSize) return null;
  return duration.epochs *
    Math.floor(sampleCount / (batchSize * (update?.discriminatorSteps ?? 1)));
}

async function readJson(file: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await Deno.readTextFile(file)) ?? {};
  } catch {
    return {}; // not written yet
  }
}

function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

function unreadable(name: string, updated: number, fault: string): RunSummary {
  return {
    name,
    state: "unreadable",
    fault,
    preset: "",
    data: "",
    device: "",
    step: 0,
    totalSteps: null,
    images: 0,
    seconds: 0,
    imagesPerSecond: null,
    scalars: {},
    best: null,
    updated,
    hasModel: false,
  };
}
