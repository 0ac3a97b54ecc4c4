/** Images of samples: a grid for images, a plot for points in one or two dimensions. */
import { firstSamples, valueInterval } from "../data/samples.ts";
import { columnNames, type DataSource } from "../data/source.ts";
import { toUnits, unitsOf } from "../data/units.ts";
import { toRasters } from "../report/image_grid.ts";
import { labeledGrid } from "../report/labeled_grid.ts";
import { type DiscriminatorCurves, drawDensityPlot } from "../report/density_plot.ts";
import { drawScatterPlot } from "../report/scatter_plot.ts";
import { rasterizeSvg } from "../report/rasterize.ts";

/** An image as files. */
export interface SampleImage {
  png: Uint8Array;
  /** Plots have one. */
  svg?: string;
}

/** What an image of samples needs to know. */
export interface SampleImageOptions {
  /** Images from left to right. */
  columns: number;
  /** For images: what each column shows, as a name above it. */
  columnNames?: readonly string[];
  title: string;
  subtitle?: string;
  /** For 1-D points: the discriminator, as a second panel. */
  discriminator?: DiscriminatorCurves;
}

/** How many points an image of points is drawn from. */
export const POINTS_PER_IMAGE = 10_000;

/**
 * Draws samples as the data's kind asks for.
 * @param samples `[count, ...data.shape]` flat, as networks give them; plots have the data's units
 * @returns undefined for points of three dimensions or more, which are not drawn
 */
export async function drawSamples(
  samples: Float32Array,
  data: DataSource,
  options: SampleImageOptions,
): Promise<SampleImage | undefined> {
  if (data.kind === "image") {
    const [height, width, channels] = data.shape;
    const batch = {
      data: samples,
      count: samples.length / data.sampleSize,
      height,
      width,
      channels: channels as 1 | 3 | 4,
    };
    const { columns, columnNames } = options;
    return { png: await labeledGrid(toRasters(batch), { columns, columnNames }) };
  }
  const svg = drawPoints(samples, data, options);
  return svg === undefined ? undefined : { png: await rasterizeSvg(svg), svg };
}

function drawPoints(
  values: Float32Array,
  data: DataSource,
  { title, subtitle, discriminator }: SampleImageOptions,
): string | undefined {
  const samples = toUnits(values, data);
  const reals = toUnits(firstSamples(data, POINTS_PER_IMAGE), data);
  const density = data.density;
  const axisNames = columnNames(data.columns);
  if (data.sampleSize === 1) {
    return drawDensityPlot({
      title,
      subtitle,
      axisName: axisNames?.[0],
      range: valueInterval(data),
      samples,
      data: reals,
      density: density && ((x) => density.density([x])),
      discriminator,
    });
  }
  if (data.sampleSize === 2) {
    const modes = density && {
      centers: density.modes.map((mode) => mode.mean),
      radius: 3 * density.modes[0].sigma,
      label: "3 sigma around a mode",
    };
    return drawScatterPlot({
      title,
      subtitle,
      data: reals,
      samples,
      modes,
      ...(axisNames ? { axisNames: [axisNames[0], axisNames[1]] } : {}),
      equalUnits: unitsOf(data) === undefined,
    });
  }
  return undefined;
}
