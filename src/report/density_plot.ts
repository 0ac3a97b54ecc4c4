/**
 * The plots of 1-D training: samples against data and density, and the trained discriminator beside the
 * optimal one.
 */
import { formatInteger } from "../text.ts";
import { countSamples } from "../metrics/histogram.ts";
import type { Mark } from "./marks.ts";
import { drawFigure, type Panel } from "./figure.ts";
import { COLORS } from "./theme.ts";

/** What {@linkcode drawDensityPlot} shows. */
export interface DensityPlot {
  /** The figure's title. */
  title: string;
  /** A line under the title: which run, which step. */
  subtitle?: string;
  /** What is plotted. Default x. */
  axisName?: string;
  /** The interval of x. */
  range: [number, number];
  /** Bars of a histogram. Default 80. */
  bins?: number;
  /** The generator's samples. */
  samples: ArrayLike<number>;
  /** Samples of the data. */
  data?: ArrayLike<number>;
  /** The data's density. */
  density?: (x: number) => number;
  /** The discriminator over x; adds a second panel. */
  discriminator?: DiscriminatorCurves;
}

/** D over the line; see `estimateOptimalDiscriminator` in src/metrics for the optimum. */
export interface DiscriminatorCurves {
  /** Ascending x of the trained D. */
  x: ArrayLike<number>;
  /** D(x) = sigmoid(logit), 0 to 1, at each x. */
  trained: ArrayLike<number>;
  /** D*(x) = p_data / (p_data + p_g), NaN where unknown. */
  optimal?: { x: ArrayLike<number>; probability: ArrayLike<number> };
}

/** Draws samples against data, and D(x) beside D*(x) where it is given. @returns an SVG document */
export function drawDensityPlot(plot: DensityPlot): string {
  const panels = [densityPanel(plot)];
  if (plot.discriminator) panels.push(discriminatorPanel(plot.discriminator, plot.range));
  return drawFigure({ title: plot.title, subtitle: plot.subtitle, panels });
}

function densityPanel(plot: DensityPlot): Panel {
  const { range, bins = 80, axisName = "x" } = plot;
  const marks: Mark[] = [];
  let highest = 0;
  const histogram = (samples: ArrayLike<number>): Float64Array => {
    const counts = countSamples(samples, { range, bins }).subarray(0, bins);
    const unit = samples.length * (range[1] - range[0]) / bins;
    const heights = counts.map((count) => count / unit);
    highest = Math.max(highest, ...heights);
    return heights;
  };
  if (plot.data) {
    marks.push({
      kind: "bars",
      range,
      heights: histogram(plot.data),
      color: COLORS.data,
      opacity: 0.45,
      label: `data (${formatInteger(plot.data.length)})`,
    });
  }
  marks.push({
    kind: "bars",
    range,
    heights: histogram(plot.samples),
    color: COLORS.generator,
    opacity: 0.3,
    outlined: true,
    label: `generated (${formatInteger(plot.samples.length)})`,
  });
  const { density } = plot;
  if (density) {
    const x = Float64Array.from(
      { length: 401 },
      (_, i) => range[0] + (range[1] - range[0]) * i / 400,
    );
    const y = x.map((at) => density(at));
    highest = Math.max(highest, ...y);
    marks.push({ kind: "line", x, y, color: COLORS.theory, label: "density of the data" });
  }
  return {
    title: "Samples against data",
    x: { label: axisName, domain: range },
    y: { label: "density", domain: [0, highest * 1.06 || 1] },
    marks,
  };
}

function discriminatorPanel(curves: DiscriminatorCurves, range: [number, number]): Panel {
  const marks: Mark[] = [
    { kind: "level", y: 0.5, color: COLORS.axis, label: "cannot tell (1/2)" },
  ];
  if (curves.optimal) {
    marks.push({
      kind: "line",
      x: curves.optimal.x,
      y: curves.optimal.probability,
      color: COLORS.theory,
      dashed: true,
      width: 1.8,
      label: "optimal D*(x) = p_data / (p_data + p_g)",
    });
  }
  marks.push({
    kind: "line",
    x: curves.x,
    y: curves.trained,
    color: COLORS.discriminator,
    width: 2.4,
    label: "trained D(x)",
  });
  return {
    title: "Discriminator",
    x: { label: "x", domain: range },
    y: { label: "probability of real", domain: [0, 1] },
    marks,
    height: 200,
  };
}
