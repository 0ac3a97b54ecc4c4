/**
 * The images of a run's samples: `reals.png`, `samples/<step>.png` from latents that stay the same, and the GIF
 * of them all. The latents are those of the sampler's seeds 0, 1, 2, ..., so the exported generator
 * gives the last image again.
 */
import { formatInteger } from "../text.ts";
import type { RunConfig } from "../config/run_config.ts";
import { decodeImage } from "../data/images/decode.ts";
import { firstSamples } from "../data/samples.ts";
import type { DataSource } from "../data/source.ts";
import type { Engine } from "../engine/types.ts";
import type { HostTensors } from "../tensor/types.ts";
import type { Network } from "../nn/mod.ts";
import { gifOfFiles } from "../report/gif.ts";
import { writeFileAtomically } from "../files.ts";
import type { RunFolder } from "../run/run_folder.ts";
import {
  compileNetwork,
  generatorWeights,
  type NetworkRunner,
  seededLatents,
} from "../evaluation/generate.ts";
import { columnClasses } from "./column_classes.ts";
import { drawSamples, POINTS_PER_IMAGE, type SampleImage } from "./sample_images.ts";

/** Makes the images of a run's samples. */
export interface SnapshotWriter {
  /** Draws samples and writes their image. @returns its path, if there is one */
  write(snapshot: { step: number; state: HostTensors }): Promise<string | undefined>;
  /** The samples of the fixed latents. @returns `[count, ...shape]` flat */
  sample(state: HostTensors): Promise<Float32Array>;
  /** Joins all images into `samples.gif`. @returns its path, if there was an image */
  writeGif(): Promise<string | undefined>;
  dispose(): Promise<void>;
}

/** What a {@linkcode SnapshotWriter} is made for. */
export interface SnapshotSetup {
  config: RunConfig;
  data: DataSource;
  engine: Engine;
  /** Where images go; without it none are made. */
  folder: RunFolder | undefined;
  generator: Network;
  /** Given the samples of each snapshot, `[count, ...shape]` flat. */
  onSamples?(samples: Float32Array, step: number): Promise<void>;
}

/** Writes `reals.png` and compiles the generator for the snapshots. */
export async function openSnapshots(setup: SnapshotSetup): Promise<SnapshotWriter> {
  const { config, data, engine, folder, generator } = setup;
  if (folder) await writeReals({ ...setup, folder });
  const { rows, columns } = config.snapshots;
  const count = data.kind === "image" ? rows * columns : POINTS_PER_IMAGE;
  const latents = seededLatents(config.latent, 0, count);
  const shown = generator.usesLabels ? columnClasses(data, columns) : undefined;
  const labels = shown && Int32Array.from({ length: count }, (_, i) => shown.labels[i % columns]);
  const runner: NetworkRunner = await compileNetwork(engine, generator, Math.min(count, 1000));

  async function sample(state: HostTensors): Promise<Float32Array> {
    const output = await runner.run(generatorWeights(state), latents, { labels });
    return output.data as Float32Array;
  }
  return {
    sample,
    async write({ step, state }) {
      const samples = await sample(state);
      await setup.onSamples?.(samples, step);
      if (!folder) return undefined;
      const image = await drawSamples(samples, data, {
        columns,
        columnNames: shown?.names,
        title: `${config.preset}: samples against data`,
        subtitle: `step ${formatInteger(step)}`,
      });
      if (!image) return undefined;
      return await writeImage(`${folder.samples}/${String(step).padStart(8, "0")}`, image);
    },
    writeGif: async () => folder && await writeSamplesGif(folder),
    dispose: () => runner.dispose(),
  };
}

/** Joins a run's images of samples into `samples.gif`. @returns its path, if there was an image */
export async function writeSamplesGif(folder: RunFolder): Promise<string | undefined> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder.samples)) {
    if (/^\d{8,}\.png$/.test(entry.name)) names.push(entry.name);
  }
  if (names.length === 0) return undefined;
  const files = await Promise.all(
    names.sort().map((name) => Deno.readFile(`${folder.samples}/${name}`)),
  );
  const path = `${folder.path}/samples.gif`;
  await writeFileAtomically(
    path,
    await gifOfFiles(files, {
      decode: (png, index) => decodeImage(png, `frame ${index} of the GIF`),
    }),
  );
  return path;
}

/** Removes the images of steps that a resumed run will do again. */
export async function dropLaterImages(folder: RunFolder, step: number): Promise<void> {
  for await (const entry of Deno.readDir(folder.samples)) {
    if (parseInt(entry.name) > step) await Deno.remove(`${folder.samples}/${entry.name}`);
  }
}

/** Writes `PATH.png`, and `PATH.svg` for a plot. @returns the PNG's path */
export async function writeImage(path: string, { png, svg }: SampleImage): Promise<string> {
  await writeFileAtomically(`${path}.png`, png);
  if (svg !== undefined) await writeFileAtomically(`${path}.svg`, new TextEncoder().encode(svg));
  return `${path}.png`;
}

async function writeReals(
  { config, data, folder }: SnapshotSetup & { folder: RunFolder },
): Promise<void> {
  if (data.kind !== "image") return; // a plot of points shows the data beside the samples
  const { rows, columns } = config.snapshots;
  const reals = firstSamples(data, rows * columns);
  const image = await drawSamples(reals, data, { columns, title: data.name });
  if (image) await writeImage(`${folder.path}/reals`, image);
}
