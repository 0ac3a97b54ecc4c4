/** Run folders as training leaves them, in a moment. */
import type { RunEvent } from "../../src/training/store.ts";

/** What a made-up run has. */
export interface MadeRun {
  steps: number;
  /** Lines of metrics; one a step by default. */
  lines?: number;
  planned?: number;
  events?: RunEvent[];
}

const PIXEL = new Uint8Array([0x89, 0x50, 0x4e, 0x47]);

/** Writes a run's folder. */
export async function makeRun(root: string, name: string, run: MadeRun): Promise<string> {
  const { steps, lines = steps, planned = steps, events = [] } = run;
  const folder = `${root}/${name}`;
  await Deno.mkdir(`${folder}/samples`, { recursive: true });
  await Deno.mkdir(`${folder}/checkpoints`);
  const config = {
    version: 1,
    preset: "tiny",
    device: "cpu",
    batchSize: 4,
    duration: { steps: planned },
  };
  await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
  await Deno.writeTextFile(`${folder}/data.json`, JSON.stringify({ name: "digits", count: 100 }));
  const text = Array.from({ length: lines }, (_, i) => {
    const step = Math.round((i + 1) * steps / lines);
    const scalars = { dLoss: 1 / step, gLoss: 2 };
    return JSON.stringify({ step, images: 4 * step, wallS: step / 10, stepMs: 100, ...scalars });
  }).join("\n");
  await Deno.writeTextFile(`${folder}/metrics.jsonl`, text + "\n");
  const log = events.map((event) => JSON.stringify(event) + "\n").join("");
  await Deno.writeTextFile(`${folder}/events.jsonl`, log);
  await Deno.writeFile(`${folder}/samples/00000004.png`, PIXEL);
  await Deno.writeTextFile(`${folder}/.lock`, "");
  return folder;
}

/** Runs a test in a folder that is removed after it. */
export async function inFolder(test: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
