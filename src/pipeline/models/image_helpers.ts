/** What the presets of images share: their data, values of held-back samples, and side-by-side grids. */
import type { ModelDataSpec } from "../../config/types.ts";
import type { ModelData } from "../../data/model_data.ts";
import type { OpenOptions } from "../../data/open.ts";
import { type ImageModelSpec, openModelImages } from "../../data/open_model_images.ts";
import type { DataSource } from "../../data/source.ts";
import { UserError } from "../../errors.ts";
import type { ImageValues } from "../../evaluation/models/image_measures.ts";
import { imageGrid } from "../../report/image_grid.ts";
import type { SampleImage } from "../sample_images.ts";
import type { DrawModelOptions, ModelAtStep } from "./preset.ts";

/** Samples that are computed at once. */
const AT_ONCE = 25;

/** Held-back samples that are measured, at most. */
export const MAX_MEASURED = 1000;

/** A reader of one source of images, which refuses other sources. */
export function imageOpener(source: ImageModelSpec["source"]) {
  return (spec: ModelDataSpec, options: OpenOptions): Promise<ModelData> => {
    if (spec.source === source) return openModelImages(spec, options);
    throw new UserError(
      `Cannot open data.source "${spec.source}" for this preset: it takes "${source}"`,
    );
  };
}

/** What is held back; where nothing is, what is trained on. */
export function measuredInputs(data: ModelData): Readonly<Record<string, DataSource>> {
  return data.heldBack ?? data.trained ?? data.inputs;
}

/** The first samples of a source, `[count, ...shape]`. */
export function firstImages(source: DataSource, count: number): ImageValues {
  const length = Math.min(count, source.count);
  const { values } = source.batch(Uint32Array.from({ length }, (_, i) => i));
  return { values, shape: source.shape };
}

/** Computes values for any number of samples, some at a time. */
export async function computeImages(
  model: Pick<ModelAtStep, "compute">,
  inputs: Record<string, ImageValues>,
  { values, seed = 0 }: { values: readonly string[]; seed?: number },
): Promise<Record<string, ImageValues>> {
  const parts: Record<string, Float32Array[]> = {};
  const shapes: Record<string, number[]> = {};
  const [first] = Object.values(inputs);
  const count = first.values.length / sizeOf(first.shape);
  for (let start = 0; start < count; start += AT_ONCE) {
    const length = Math.min(AT_ONCE, count - start);
    const given = Object.fromEntries(
      Object.entries(inputs).map(([name, { values: all, shape }]) => {
        const size = sizeOf(shape);
        const data = new Float32Array(AT_ONCE * size); // one size, so that it is compiled once
        data.set(all.subarray(start * size, (start + length) * size));
        return [name, { shape: [AT_ONCE, ...shape], data }];
      }),
    );
    const computed = await model.compute(given, { values, seed: seed + start });
    for (const [name, { data, shape }] of Object.entries(computed)) {
      shapes[name] = shape.slice(1);
      (parts[name] ??= []).push((data as Float32Array).slice(0, length * sizeOf(shapes[name])));
    }
  }
  return Object.fromEntries(
    Object.entries(parts).map(([name, arrays]) => {
      const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const array of arrays) {
        all.set(array, at);
        at += array.length;
      }
      return [name, { values: all, shape: shapes[name] }];
    }),
  );
}

/** Draws samples as images beside one another, such as input, output and target. */
export async function drawBeside(
  images: readonly ImageValues[],
  { grid }: DrawModelOptions,
): Promise<SampleImage> {
  const height = Math.max(...images.map(({ shape }) => shape[0]));
  const width = Math.max(...images.map(({ shape }) => shape[1]));
  const channels = Math.max(...images.map(({ shape }) => shape[2])) as 1 | 3;
  const fitted = images.map((image) => fitTo(image, [height, width, channels]));
  const size = height * width * channels;
  const count = fitted[0].length / size;
  const data = new Float32Array(count * images.length * size);
  for (let i = 0; i < count; i++) {
    fitted.forEach((values, place) => {
      data.set(values.subarray(i * size, (i + 1) * size), (i * images.length + place) * size);
    });
  }
  const sheet = imageGrid({ data, count: count * images.length, height, width, channels }, {
    columns: grid.columns * images.length,
  });
  return { png: await sheet.toPng() };
}

/** Images with repeated pixels and channels, so that small and gray ones stand beside others. */
export function fitTo({ values, shape }: ImageValues, to: readonly number[]): Float32Array {
  if (shape.join() === to.join()) return values;
  const [height, width, channels] = shape;
  const [newHeight, newWidth, newChannels] = to;
  const count = values.length / sizeOf(shape);
  const fitted = new Float32Array(count * sizeOf(to));
  let at = 0;
  for (let i = 0; i < count; i++) {
    for (let y = 0; y < newHeight; y++) {
      const row = Math.floor(y * height / newHeight);
      for (let x = 0; x < newWidth; x++) {
        const column = Math.floor(x * width / newWidth);
        const from = ((i * height + row) * width + column) * channels;
        for (let c = 0; c < newChannels; c++) {
          fitted[at++] = values[from + Math.min(c, channels - 1)];
        }
      }
    }
  }
  return fitted;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** A figure for JSON: null where it is not finite. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/**
 * Refuses sizes that networks cannot take.
 * @param options.multiple what height and width have to be a multiple of
 * @param options.least the smallest side
 */
export function checkSize(
  source: DataSource,
  { multiple, reason, least = 1 }: { multiple: number; reason: string; least?: number },
): void {
  const [height, width] = source.shape;
  if (Math.min(height, width) < least) {
    throw new UserError(
      `Cannot train on images of ${width} x ${height} pixels: the preset's networks need ${least} or more; ` +
        `use --size ${least}`,
    );
  }
  if (height % multiple === 0 && width % multiple === 0) return;
  const near = Math.max(1, Math.round(Math.min(height, width) / multiple)) * multiple;
  throw new UserError(
    `Cannot train on images of ${width} x ${height} pixels: height and width have to be multiples of ` +
      `${multiple}, ${reason}; use --size ${near}`,
  );
}

/** Refuses images that are not square, for networks that are made for squares. */
export function squareSide(source: DataSource): number {
  const [height, width] = source.shape;
  if (height === width) return height;
  throw new UserError(
    `Cannot train on images of ${width} x ${height} pixels: the preset's networks take squares; use --size ${
      Math.min(height, width)
    }`,
  );
}
