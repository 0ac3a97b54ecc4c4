/**
 * Trains recipes for images for some minutes each, one after the other, and measures samples of all by the
 * same features. A run that is done is not run again, and one that was interrupted goes on.
 */
import type { RunConfig } from "../../config/types.ts";
import type { DataSource } from "../../data/source.ts";
import { openDataSource } from "../../data/open.ts";
import { ensureFolder, writeFileAtomically } from "../../files.ts";
import { UserError } from "../../errors.ts";
import { sha256 } from "../../hash.ts";
import type { ImageRecipe } from "../../reproduction/image_recipes.ts";
import { imageGrid } from "../../report/image_grid.ts";
import {
  comparisonLines,
  drawQualityPlot,
  type FiguresOverTime,
  qualityTable,
} from "../../report/quality_over_time.ts";
import { rasterizeSvg } from "../../report/rasterize.ts";
import { openRunFolder } from "../../run/run_folder.ts";
import { configFingerprint } from "../reproduce.ts";
import type { RunCallbacks } from "../run_options.ts";
import { measureSampleSets } from "./measure.ts";
import { trainByMinutes } from "./our_run.ts";
import { trainTutorialInPytorch } from "./pytorch_run.ts";
import { readMarks, type SampleSetFolder, writeImagesNpy } from "./sample_sets.ts";

/** What to compare. */
export interface ImagesPlan {
  data: DataSource;
  /** In the order of the table; a config for each of ganforge's own. */
  recipes: readonly { recipe: ImageRecipe; config?: RunConfig }[];
  /** Seeds 0, 1, ..., each with every recipe. */
  seeds: number;
  /** Of training, for each run. */
  minutes: number;
  /** Times at which samples are taken. Default one a minute, at least 5, at most 20. */
  marks?: number;
  /** Samples of a mark. Default as many as there are images, at most 5,000. */
  samples?: number;
  /** The program that has torch. Default `/usr/bin/python3`. */
  python?: string;
}

/** How to compare. */
export interface ReproduceImagesOptions {
  /** Holds `reproduce-images`. Default `runs`. */
  runsFolder?: string;
  /** Aborting it saves the run that is under way, and ends. */
  signal?: AbortSignal;
  /** Before each run; what it returns are the run's callbacks. */
  onRun?: (run: { recipe: ImageRecipe; seed: number; done: boolean }) => RunCallbacks | void;
  /** What the tutorial in PyTorch says. */
  onPeerLine?: (line: string) => void;
  /** What is being done between runs. */
  onStage?: (what: string) => void;
}

/** What was compared. */
export interface ImagesReproduction {
  /** Undefined where it was interrupted before the measuring was over. */
  figures: FiguresOverTime | undefined;
  /** The table, and how the recipes stand to the tutorial, as Markdown. */
  text: string | undefined;
  /** The folder that holds the runs, `quality.md`, `quality.png` and a grid of each recipe. */
  folder: string;
}

/** The smallest number of images: the tutorial's batch, and enough for distances over 64 features. */
const FEWEST_IMAGES = 128;
const MAX_SAMPLES = 5000;
const GRID_IMAGES = 64;

/**
 * Trains, measures, and writes the table, the plot and the grids.
 * @throws {UserError} when the data do not suit it, or a recipe cannot run
 */
export async function reproduceImages(
  plan: ImagesPlan,
  options: ReproduceImagesOptions = {},
): Promise<ImagesReproduction> {
  const { data, recipes, seeds, minutes, python = "/usr/bin/python3" } = plan;
  const { runsFolder = "runs", signal, onRun, onStage } = options;
  const { pixels } = checkImages(data);
  const marks = plan.marks ?? Math.min(20, Math.max(5, Math.round(minutes)));
  const samples = plan.samples ?? Math.min(MAX_SAMPLES, data.count);
  const key = sha256([data.fingerprint, minutes, marks, samples].join());
  const folder = `${runsFolder}/reproduce-images/${data.name}-${minutes}min-${key.slice(0, 8)}`;
  await ensureFolder(folder);
  using _lock = await openRunFolder(folder);
  const pixelsFile = `${folder}/pixels.npy`;
  await writeImagesNpy(pixelsFile, { shape: [data.count, ...data.shape], data: pixels });
  const sets: SampleSetFolder[] = [];
  for (let seed = 0; seed < seeds; seed++) { // every recipe's first seed before any second one
    for (const { recipe, config } of recipes) {
      if (signal?.aborted) return { figures: undefined, text: undefined, folder };
      const name = config ? `${recipe}-${configFingerprint(config).slice(0, 6)}` : recipe;
      const set = { recipe, seed, folder: `${folder}/${name}-seed${seed}` };
      sets.push(set);
      const done = (await readMarks(set.folder)).length >= marks;
      const callbacks = onRun?.({ recipe, seed, done }) ?? {};
      if (done) continue;
      await ensureFolder(set.folder);
      const common = { folder: set.folder, minutes, marks, samples, seed, signal };
      const complete = config
        ? await trainByMinutes({ ...common, config: { ...config, seed }, data, callbacks })
        : await trainTutorialInPytorch({
          ...common,
          python,
          pixels: pixelsFile,
          onLine: options.onPeerLine,
        });
      if (!complete) return { figures: undefined, text: undefined, folder };
    }
  }
  const figures = await measureSampleSets(sets, { data, folder, samples, signal, onStage });
  if (!figures) return { figures, text: undefined, folder };
  return { figures, text: await writeResults(figures, { sets, plan, folder }), folder };
}

/** @throws {UserError} when these are no images, or too few */
function checkImages(data: DataSource): { pixels: Uint8Array } {
  const { kind, pixels, count, shape } = data;
  if (kind !== "image" || !pixels) {
    throw new UserError(
      `Cannot reproduce images on ${data.name}: it takes images of 8 bits in memory, and these are ` +
        (kind === "image" ? "read from a file" : kind),
    );
  }
  if (shape[2] !== 1 && shape[2] !== 3) {
    throw new UserError(
      `Cannot reproduce images on ${data.name}: its images have ${
        shape[2]
      } channels, expected 1 or 3`,
    );
  }
  if (count >= FEWEST_IMAGES) return { pixels };
  throw new UserError(
    `Cannot reproduce images on ${data.name}: it has ${count} images, and distances over features take ` +
      `${FEWEST_IMAGES}; give more with --data`,
  );
}

interface Written {
  sets: readonly SampleSetFolder[];
  plan: ImagesPlan;
  folder: string;
}

async function writeResults(
  figures: FiguresOverTime,
  { sets, plan: { data, minutes, seeds }, folder }: Written,
): Promise<string> {
  const [height, width] = data.shape;
  const what = `${data.count} images of ${width} x ${height} pixels, ${minutes} minutes a run, ` +
    `${seeds} ${seeds === 1 ? "seed" : "seeds"}`;
  const text = [
    `Quality after ${what}; mean +- standard deviation over seeds.`,
    "",
    qualityTable(figures),
    "",
    figures.remark,
    "",
    ...comparisonLines(figures).map((line) => `- ${line}`),
  ].join("\n");
  await writeFileAtomically(`${folder}/quality.md`, new TextEncoder().encode(text + "\n"));
  const svg = drawQualityPlot(figures, {
    title: "Quality over minutes of training",
    subtitle: what,
  });
  await writeFileAtomically(`${folder}/quality.png`, await rasterizeSvg(svg));
  for (const { recipe, seed, folder: own } of sets) {
    if (seed !== 0) continue;
    const last = (await readMarks(own)).at(-1)!;
    const samples = await openDataSource({ source: "auto", path: `${own}/${last.file}` });
    const count = Math.min(GRID_IMAGES, samples.count);
    const grid = imageGrid({
      data: samples.pixels!.subarray(0, count * samples.sampleSize),
      count,
      height,
      width,
      channels: data.shape[2] as 1 | 3,
    });
    await writeFileAtomically(`${folder}/${recipe}.png`, await grid.toPng());
  }
  return text;
}
