/** The TensorBoard log of a run in its folder: what is written at its start, with its images, and at its end. */
import type { MeasureName, ModelRunConfig, RunConfig } from "../../config/types.ts";
import type { TrainingStore } from "../../training/store.ts";
import type { RunFolder } from "../run_folder.ts";
import { openEventFile } from "./event_file.ts";
import { tensorboardStore } from "./tensorboard_store.ts";

/** The log of one session of a run. */
export interface TensorboardLog extends AsyncDisposable {
  /** A store that records to the log too. */
  store: TrainingStore;
  /** Adds an image of samples. @param path of a PNG file */
  addImage(step: number, path: string): Promise<void>;
  /** Says that the run is complete. Without it the session counts as failed or stopped. */
  complete(): Promise<void>;
}

/** Scalars that TensorBoard's HParams page compares runs by. */
const COMPARED = ["train/dLoss", "train/gLoss"];

/**
 * Opens the log of a session.
 * @param session.step steps done before it
 * @throws {StorageError} when it cannot be written
 */
export async function openTensorboardLog(
  { folder, store, config }: {
    folder: RunFolder;
    store: TrainingStore;
    config: RunConfig | ModelRunConfig;
  },
  session: { step: number; measure?: MeasureName },
): Promise<TensorboardLog> {
  const startAt = session.step === 0 ? 0 : session.step + 1;
  const file = await openEventFile(folder.path, { startAt });
  const { measure } = session;
  const compared = "model" in config
    ? config.model.updates.map(({ name }) => `train/${name}Loss`)
    : COMPARED;
  await file.append([
    {
      hyperparameters: {
        values: hyperparametersOf(config),
        metrics: measure === undefined ? compared : [...compared, `evaluation/${measure}`],
        group: folder.name,
      },
    },
    { step: session.step, values: [{ tag: "config", text: configText(config) }] },
  ]);
  let isComplete = false;
  return {
    store: tensorboardStore(store, file),
    async addImage(step, path) {
      const png = await Deno.readFile(path);
      await file.append([{ step, values: [{ tag: "samples", image: { png, ...sizeOf(png) } }] }]);
    },
    async complete() {
      isComplete = true;
      await file.append([{ end: "success" }]);
    },
    async [Symbol.asyncDispose]() {
      if (!isComplete) await file.append([{ end: "failure" }]).catch(() => {}); // a full disk, say
      file[Symbol.dispose]();
    },
  };
}

/** Every option that is a number, a text or a switch, by its path; networks are too long for a table. */
function hyperparametersOf(
  config: RunConfig | ModelRunConfig,
): Record<string, number | string | boolean> {
  const values: Record<string, number | string | boolean> = {};
  function collect(part: object, path: string): void {
    for (const [key, value] of Object.entries(part)) {
      const name = path + key;
      if (["generator", "discriminator", "version", "model"].includes(name)) continue;
      if (Array.isArray(value)) values[name] = JSON.stringify(value);
      else if (typeof value === "object" && value !== null) collect(value, `${name}.`);
      else if (value !== undefined) values[name] = value;
    }
  }
  collect(config, "");
  return values;
}

/** Markdown, as TensorBoard's text page shows it. */
function configText(config: RunConfig | ModelRunConfig): string {
  return JSON.stringify(config, null, 2).split("\n").map((line) => `    ${line}`).join("\n");
}

/** The size that a PNG's header says. */
function sizeOf(png: Uint8Array): { height: number; width: number; channels: number } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const channels = [1, 0, 3, 3, 2, 0, 4][png[25]] ?? 3; // by the color type
  return { width: view.getUint32(16), height: view.getUint32(20), channels };
}
