/** The plot of 2-D training: the generator's points over the data's. */
import { extent } from "./axis.ts";
import { drawFigure } from "./figure.ts";
import type { Mark } from "./marks.ts";
import { COLORS } from "./theme.ts";

/** What {@linkcode drawScatterPlot} shows. */
export interface ScatterPlot {
  /** The figure's title. */
  title: string;
  /** A line under the title: which run, which step. */
  subtitle?: string;
  /** `[n, 2]` flat. */
  data: Float32Array;
  /** `[n, 2]` flat. */
  samples: Float32Array;
  /** Known modes: drawn as circles of `radius` around them. */
  modes?: { centers: ReadonlyArray<ArrayLike<number>>; radius: number; label: string };
  /** What the axes show. Default x and y. */
  axisNames?: readonly [string, string];
  /** Whether one unit is as long on both axes, as it should be unless they are of different kinds. Default true. */
  equalUnits?: boolean;
  /** The largest number of points of each that is drawn. Default 3000. */
  maxPoints?: number;
}

/**
 * Draws points. The plot shows the data's region and a fifth around it; how many samples
 * lie outside is said in the legend.
 * @returns an SVG document
 */
export function drawScatterPlot(plot: ScatterPlot): string {
  const max = plot.maxPoints ?? 3000;
  const [xName, yName] = plot.axisNames ?? ["x", "y"];
  const data = columns(plot.data, max);
  const samples = columns(plot.samples, max);
  const xDomain = extent([data.x], 0.2);
  const yDomain = extent([data.y], 0.2);
  let outside = 0;
  for (let i = 0; i < samples.x.length; i++) {
    const [x, y] = [samples.x[i], samples.y[i]];
    if (!(x >= xDomain[0] && x <= xDomain[1] && y >= yDomain[0] && y <= yDomain[1])) outside++;
  }
  const marks: Mark[] = [
    { kind: "dots", ...data, color: COLORS.data, radius: 3, opacity: 0.5, label: "data" },
    {
      kind: "dots",
      ...samples,
      color: COLORS.generator,
      radius: 1.8,
      opacity: 0.6,
      label: outside
        ? `generated (${outside} of ${samples.x.length} outside the plot)`
        : "generated",
    },
  ];
  if (plot.modes) {
    const { centers, radius, label } = plot.modes;
    marks.push({ kind: "circles", centers, radius, color: COLORS.discriminator, label });
  }
  return drawFigure({
    title: plot.title,
    subtitle: plot.subtitle,
    width: 640,
    panels: [{
      x: { label: xName, domain: xDomain },
      y: { label: yName, domain: yDomain },
      marks,
      height: 550,
      equalUnits: plot.equalUnits ?? true,
    }],
  });
}

function columns(
  points: Float32Array,
  max: number,
): { x: Float32Array; y: Float32Array } {
  const count = Math.min(max, points.length / 2);
  return {
    x: Float32Array.from({ length: count }, (_, i) => points[2 * i]),
    y: Float32Array.from({ length: count }, (_, i) => points[2 * i + 1]),
  };
}
