/**
 * Images through a model that makes images from images: padded by reflection to what divides the model's
 * sizes and cropped back, large ones in tiles that blend, several in one run.
 */
import { UserError } from "../../errors.ts";
import { MAX_SAMPLE_VALUES } from "../../manifest.ts";
import { fillNoise } from "../../random/latents.ts";
import { Pace } from "../pace.ts";
import { checkSeed } from "../requests.ts";
import type { FedTensor, Runtime } from "../session.ts";
import {
  enlargeAlpha,
  fillPart,
  readSourceImage,
  type SourceImage,
  type TilePart,
  type TranslatedSource,
} from "./source_image.ts";
import { type AxisTiles, axisTiles, BLEND, sharedPixels } from "./tiles.ts";
import { TranslatedImage } from "./translated_image.ts";
import { describeImageInput, type TranslatorInfo, type TranslatorPlan } from "./translator_info.ts";

/** How to translate. */
export interface TranslateOptions {
  /**
   * Decides what layers that stay random draw, such as dropout at sampling; the image after it in a list has
   * the next seed. All tiles of an image draw alike. Default 0.
   */
  seed?: number;
  /**
   * Pixels of a tile's side. Default: images of up to 262,144 pixels are made as a whole, larger ones in tiles
   * of 256, or of what the model needs. A model that takes one size has tiles of that size.
   */
  tileSize?: number;
  /**
   * Pixels of a tile that do not count along an edge that was cut. Default: what the file says, `info.reach`.
   */
  reach?: number;
  /** Tiles or images of one size in a run. Default: as many as have 262,144 pixels, 16 at most. */
  batchSize?: number;
  /** Stops between two runs, with the signal's reason. */
  signal?: AbortSignal;
  /** Called after each run with the tiles that are done, of all images. */
  onProgress?: (progress: { done: number; total: number }) => void;
}

/** A model to translate with. */
export interface Translator {
  name: string;
  info: TranslatorInfo;
  plan: TranslatorPlan & { outputLast: boolean };
  runtime: Runtime;
}

/** Images of more pixels are made in tiles, and runs have no more of them. */
const MAX_WHOLE = 2 ** 18;

const DEFAULT_TILE = 256;

/** An open side has at least this many pixels: reflecting layers need some. */
const MIN_SIDE = 16;

/** The largest tile's side. */
const MAX_TILE = 8192;

/** An image and how far it is. */
interface Job {
  image: SourceImage;
  seed: number;
  rows: AxisTiles;
  columns: AxisTiles;
  /** Tiles to come. */
  left: number;
  /** `[channels, height, width]` */
  values: Float32Array;
}

/** One tile. */
interface Tile {
  job: Job;
  row: number;
  column: number;
  part: TilePart;
}

/**
 * Translates images, and gives each when it is done.
 * @throws {UserError} where an image or an option is wrong, or the result is too large
 */
export async function* translateImages(
  translator: Translator,
  given: readonly TranslatedSource[],
  options: TranslateOptions,
): AsyncGenerator<TranslatedImage> {
  const { seed = 0, signal, onProgress } = options;
  checkSeed(seed);
  const jobs = given.map((image, index) =>
    planJob(translator, image, { ...options, seed: checkSeed(seed + index) })
  );
  const total = jobs.reduce((sum, { left }) => sum + left, 0);
  const pace = new Pace();
  let done = 0;
  for (const tiles of batches(jobs, translator, options)) {
    if (pace.isPauseDue()) await pace.pause();
    signal?.throwIfAborted();
    await runTiles(translator, tiles);
    done += tiles.length;
    onProgress?.({ done, total });
    for (const { job } of tiles) {
      if (--job.left === 0) yield finish(translator, job);
    }
  }
}

function planJob(
  { info, name }: Translator,
  given: TranslatedSource,
  { seed = 0, tileSize, reach = info.reach }: TranslateOptions,
): Job {
  const image = readSourceImage(given, info);
  const { input, output: { channels, factor } } = info;
  const size = image.width * image.height * channels * factor ** 2;
  if (size > MAX_SAMPLE_VALUES) {
    throw new UserError(
      `Cannot translate an image of ${image.width} x ${image.height} pixels with ${name}: the result ` +
        `would be ${image.width * factor} x ${
          image.height * factor
        } with ${channels} channels, ${size} ` +
        `values, and at most ${MAX_SAMPLE_VALUES} are made; take a part of it`,
    );
  }
  if (!(Number.isInteger(reach) && reach >= 0 && reach <= MAX_TILE / 4)) {
    throw new UserError(
      `Cannot translate with reach ${reach}: it takes whole pixels from 0 to ${MAX_TILE / 4}`,
    );
  }
  checkTileSize(tileSize, { info, reach });
  const ceil = (pixels: number) => Math.ceil(pixels / input.multiple) * input.multiple;
  const padded = [image.height, image.width].map((side) => ceil(Math.max(side, MIN_SIDE)));
  const isWhole = tileSize === undefined && padded[0] * padded[1] <= MAX_WHOLE;
  const tile = ceil(Math.max(tileSize ?? DEFAULT_TILE, sharedPixels(reach) + input.multiple));
  const axis = (side: number, fixed: number | null, paddedSide: number): AxisTiles => {
    if (fixed !== null) {
      const own = Math.max(0, Math.min(reach, Math.floor((fixed / 2 - BLEND) / 2)));
      return axisTiles({ size: side, tile: fixed, multiple: 1, reach: own, factor });
    }
    const length = isWhole ? paddedSide : Math.min(tile, paddedSide);
    return axisTiles({ size: side, tile: length, multiple: input.multiple, reach, factor });
  };
  const rows = axis(image.height, input.height, padded[0]);
  const columns = axis(image.width, input.width, padded[1]);
  const left = rows.starts.length * columns.starts.length;
  return { image, seed, rows, columns, left, values: new Float32Array(size) };
}

function checkTileSize(
  tileSize: number | undefined,
  { info, reach }: { info: TranslatorInfo; reach: number },
): void {
  if (tileSize === undefined) return;
  const { height, width, multiple } = info.input;
  if (height !== null || width !== null) {
    throw new UserError(
      `Cannot translate in tiles of ${tileSize}: the model takes ${describeImageInput(info)}`,
    );
  }
  const least = Math.ceil((sharedPixels(reach) + multiple) / multiple) * multiple;
  const fits = Number.isInteger(tileSize) && tileSize >= least && tileSize <= MAX_TILE &&
    tileSize % multiple === 0;
  if (fits) return;
  throw new UserError(
    `Cannot translate in tiles of ${tileSize}: it takes ${least} to ${MAX_TILE} pixels` +
      `${
        multiple > 1 ? `, a multiple of ${multiple}` : ""
      } (twice a reach of ${reach} and ${BLEND} to blend)`,
  );
}

/** Tiles of one size, in the order of their images, at most a batch of them. */
function* batches(
  jobs: readonly Job[],
  { plan }: Translator,
  { batchSize }: TranslateOptions,
): Generator<Tile[]> {
  if (batchSize !== undefined && !(Number.isInteger(batchSize) && batchSize > 0)) {
    throw new UserError(`Cannot translate in batches of ${batchSize}: it takes a positive integer`);
  }
  let tiles: Tile[] = [];
  for (const job of jobs) {
    const { rows, columns } = job;
    const pixels = rows.tile * columns.tile;
    const size = plan.fixedBatch ?? batchSize ??
      Math.max(1, Math.min(16, Math.floor(MAX_WHOLE / pixels)));
    for (const [row, top] of rows.starts.entries()) {
      for (const [column, left] of columns.starts.entries()) {
        const part = { left, top, width: columns.tile, height: rows.tile };
        const first = tiles[0]?.part;
        const isOther = first && (first.width !== part.width || first.height !== part.height);
        if (isOther || tiles.length >= size) {
          yield tiles;
          tiles = [];
        }
        tiles.push({ job, row, column, part });
      }
    }
  }
  if (tiles.length > 0) yield tiles;
}

async function runTiles({ name, info, plan, runtime }: Translator, tiles: Tile[]): Promise<void> {
  const { input, output } = info;
  const { width, height } = tiles[0].part;
  const count = plan.fixedBatch ?? tiles.length;
  const size = width * height * input.channels;
  const values = new Float32Array(count * size);
  const noise = new Float32Array(count * (plan.noise?.size ?? 0));
  tiles.forEach(({ job, part }, index) => {
    const own = values.subarray(index * size, (index + 1) * size);
    fillPart(own, job.image, part, { input, last: plan.inputLast });
    if (plan.noise === null) return;
    fillNoise(noise.subarray(index * plan.noise.size, (index + 1) * plan.noise.size), job.seed);
  });
  const sample = plan.inputLast ? [height, width, input.channels] : [input.channels, height, width];
  const isWhole = !plan.inputType.startsWith("float");
  const fed: FedTensor[] = [{
    name: plan.inputName,
    type: plan.inputType,
    values: isWhole ? values.map(Math.round) : values,
    shape: [count, ...sample],
  }];
  if (plan.noise !== null) {
    fed.push({
      name: plan.noise.name,
      type: "float32",
      values: noise,
      shape: [count, plan.noise.size],
    });
  }
  const { data, shape } = await runtime.execute(fed, plan.outputName);
  const [outHeight, outWidth] = [height * output.factor, width * output.factor];
  const wanted = plan.outputLast
    ? [count, outHeight, outWidth, output.channels]
    : [count, output.channels, outHeight, outWidth];
  if (shape.join() !== wanted.join()) {
    throw new UserError(
      `Cannot translate with ${name}: it gave [${shape.join(", ")}] for an image of ${width} x ` +
        `${height}, expected [${wanted.join(", ")}]`,
    );
  }
  const length = data.length / count;
  tiles.forEach((tile, index) =>
    addTile(tile, data.subarray(index * length, (index + 1) * length), {
      channels: output.channels,
      factor: output.factor,
      last: plan.outputLast,
    })
  );
}

/** Adds a tile's values to its image's, each by its share. */
function addTile(
  { job, row, column, part }: Tile,
  data: Float32Array | Uint8Array,
  { channels, factor, last }: { channels: number; factor: number; last: boolean },
): void {
  const width = job.image.width * factor;
  const height = job.image.height * factor;
  const [down, across] = [job.rows.weights[row], job.columns.weights[column]];
  const [top, left] = [part.top * factor, part.left * factor];
  const rows = Math.min(part.height * factor, height - top);
  const columns = Math.min(part.width * factor, width - left);
  const tileWidth = part.width * factor;
  const tileArea = tileWidth * part.height * factor;
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < rows; y++) {
      if (down[y] === 0) continue;
      const to = (c * height + top + y) * width + left;
      for (let x = 0; x < columns; x++) {
        const pixel = y * tileWidth + x;
        const value = data[last ? pixel * channels + c : c * tileArea + pixel];
        job.values[to + x] += down[y] * across[x] * value;
      }
    }
  }
}

function finish({ info }: Translator, { image, rows, columns, values }: Job): TranslatedImage {
  const { output: { channels, factor, range } } = info;
  const tiles = rows.starts.length * columns.starts.length;
  const notes = [...image.notes];
  if (rows.padded > image.height || columns.padded > image.width) {
    notes.push(
      `padded by reflection from ${image.width} x ${image.height} to ${columns.padded} x ` +
        `${rows.padded} pixels, and cropped back`,
    );
  }
  if (tiles > 1) notes.push(`made in ${tiles} tiles of ${columns.tile} x ${rows.tile} pixels`);
  return new TranslatedImage({
    values,
    channels,
    width: image.width * factor,
    height: image.height * factor,
    range,
    alpha: image.isTransparent && info.input.channels < 4 ? enlargeAlpha(image, factor) : null,
    tiles,
    notes,
  });
}
