/** The training images of a run that are nearest to an image, as the dashboard shows them. */
import { openDataSource } from "../data/open.ts";
import { UserError } from "../errors.ts";
import { trainingThumbnails } from "../evaluation/evaluate_images.ts";
import { planThumbnails, thumbnails } from "../evaluation/likeness.ts";
import { pixelsOf } from "../evaluation/pixels.ts";
import { nearestNeighbors, sampleMatrix } from "../metrics/mod.ts";
import type { RasterImage } from "../raster/raster.ts";
import { toRasters } from "../report/image_grid.ts";
import { labeledGrid } from "../report/labeled_grid.ts";
import { readRunConfig } from "../run/run_folder.ts";
import { formatNumber } from "../text.ts";
import { cacheOptions } from "./open_data.ts";

/** Training images that are shown. */
const SHOWN = 5;

/** Pixels that an image has at least, so that it can be seen. */
const MIN_WIDTH = 72;

/**
 * Finds the nearest training images, as `deno task evaluate` does: by the distance of small copies, among the first
 * 100,000.
 * @param run the run's folder
 * @returns a PNG of the image and those nearest to it, with their distances above
 * @throws {UserError} when the run's data are gone, or are no images of this size
 */
export async function nearestTrainingImages(run: string, image: RasterImage): Promise<Uint8Array> {
  const { data: spec } = await readRunConfig(run);
  const runsFolder = run.slice(0, Math.max(0, run.lastIndexOf("/")));
  const data = await openDataSource(spec, cacheOptions(undefined, runsFolder));
  try {
    const { width, height, channels } = image;
    if (data.kind !== "image" || `${data.shape}` !== `${[height, width, channels]}`) {
      throw new UserError(
        `Cannot compare an image of ${width} x ${height} pixels and ${channels} channels with ${data.name}: ` +
          "the run's data are other",
      );
    }
    const thumbnail = planThumbnails(data.shape);
    const training = trainingThumbnails(data, thumbnail);
    const pixels = Uint8Array.from(image.data);
    const own = { ...image, channels: channels as 1 | 3 | 4, data: pixels, count: 1 };
    const small = sampleMatrix(thumbnails(own, thumbnail), thumbnail.length);
    const k = Math.min(SHOWN, training.count);
    const { indices, distances } = nearestNeighbors(small, training, k);
    return await labeledGrid([image, ...toRasters(pixelsOf(data, indices))], {
      columns: 1 + k,
      columnNames: ["sample", ...Array.from(distances, (distance) => formatNumber(distance))],
      scale: Math.max(1, Math.ceil(MIN_WIDTH / width)),
    });
  } finally {
    data.close?.();
  }
}
