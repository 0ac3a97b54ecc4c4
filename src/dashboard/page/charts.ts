/// <reference lib="dom" />
/** Plots of curves that share their zoom and their cursor: uPlot, with smoothing and a logarithmic axis. */
import uPlot from "uplot";
import type { Curves } from "./api.ts";
import { make } from "./dom.ts";

/** How curves are drawn. */
export interface ChartOptions {
  /** What runs along x. */
  axis: "step" | "images" | "wallS";
  /** Weight of the past in an exponential moving average, 0 to 0.99. */
  smoothing: number;
  /** Whether y is logarithmic; values of 0 or less are left out then. */
  logarithmic: boolean;
}

/** One run's curves, under the name that its legend has. */
export interface NamedCurves {
  name: string;
  curves: Curves;
}

/** A plot and what of each run it shows. */
export interface PlotPanel {
  title: string;
  /** Columns of the metrics, and what the legend calls them. */
  series: { column: string; label: string }[];
}

const COLORS = [
  "#c2410c",
  "#0369a1",
  "#15803d",
  "#a21caf",
  "#b45309",
  "#4338ca",
  "#be123c",
  "#0f766e",
];
const AXIS_LABELS = { step: "steps", images: "images", wallS: "seconds of training" };
const HEIGHT = 240;

/** The columns that a run can be looked at along. */
export const AXES: readonly string[] = Object.keys(AXIS_LABELS);

/** The panels for the scalars that some runs have. */
function panelsOf(columns: readonly string[]): PlotPanel[] {
  const scalars = columns.filter((name) => !AXES.includes(name) && name !== "stepMs");
  const panels: PlotPanel[] = [];
  const take = (title: string, names: Record<string, string>) => {
    const series = Object.entries(names).filter(([column]) => scalars.includes(column))
      .map(([column, label]) => ({ column, label }));
    if (series.length) panels.push({ title, series });
  };
  take("Losses", { dLoss: "discriminator", gLoss: "generator" });
  take("Discriminator's outputs", { dReal: "on data", dFake: "on samples" });
  const shown = new Set(panels.flatMap(({ series }) => series.map(({ column }) => column)));
  for (const column of scalars.filter((name) => !shown.has(name))) {
    panels.push({ title: column, series: [{ column, label: column }] });
  }
  return panels;
}

/** An exponential moving average over the values that are there, without its bias to the start. */
function smoothed(values: (number | null)[], weight: number): (number | null)[] {
  let average = 0;
  let mass = 0;
  return values.map((value) => {
    if (value === null) return null;
    average = weight * average + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return average / mass;
  });
}

/** Draws panels into an element; all of them zoom together. */
export class Charts {
  readonly element = make("div", { class: "columns" });
  #plots: uPlot[] = [];
  readonly #resize = new ResizeObserver(() => {
    for (const plot of this.#plots) {
      plot.setSize({ width: widthOf(plot.root.parentElement!), height: HEIGHT });
    }
  });

  /** Draws anew. */
  draw(runs: readonly NamedCurves[], options: ChartOptions): void {
    this.#clear();
    const columns = [...new Set(runs.flatMap(({ curves }) => Object.keys(curves.columns)))];
    for (const panel of panelsOf(columns)) {
      const place = make("div", { class: "plot" }, make("h3", {}, panel.title));
      this.element.append(place);
      this.#plots.push(this.#plot(place, panel, runs, options));
      this.#resize.observe(place);
    }
  }

  /** Gives everything back. */
  dispose(): void {
    this.#clear();
    this.#resize.disconnect();
  }

  #clear(): void {
    for (const plot of this.#plots) plot.destroy();
    this.#plots = [];
    this.#resize.disconnect();
    this.element.replaceChildren();
  }

  #plot(
    place: HTMLElement,
    { series }: PlotPanel,
    runs: readonly NamedCurves[],
    options: ChartOptions,
  ): uPlot {
    const lines = runs.flatMap(({ name, curves }) =>
      series.filter(({ column }) => curves.columns[column]).map(({ column, label }) => ({
        label: runs.length > 1 ? `${name} ${label}` : label,
        x: curves.columns[options.axis] as number[],
        y: smoothed(curves.columns[column], options.smoothing)
          .map((value) => options.logarithmic && value !== null && value <= 0 ? null : value),
      }))
    );
    const data = uPlot.join(lines.map(({ x, y }) => [x, y] as uPlot.AlignedData));
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--soft") || "gray";
    const axis = {
      stroke: () => resolved(ink),
      grid: { stroke: "#8883", width: 1 },
      ticks: { show: false },
    };
    return new uPlot(
      {
        width: widthOf(place),
        height: HEIGHT,
        cursor: { sync: { key: "runs" }, drag: { x: true, y: false } },
        scales: {
          x: { time: false },
          y: { distr: options.logarithmic ? 3 : 1 },
        },
        axes: [{ ...axis, label: AXIS_LABELS[options.axis], labelSize: 20 }, { ...axis, size: 60 }],
        series: [
          { label: AXIS_LABELS[options.axis] },
          ...lines.map(({ label }, i) => ({
            label,
            stroke: COLORS[i % COLORS.length],
            width: 1.5,
            spanGaps: true,
            points: { show: false },
          })),
        ],
        hooks: { setScale: [(plot, key) => key === "x" && this.#follow(plot)] },
      },
      data,
      place,
    );
  }

  /** Zooms all plots as one was. */
  #follow(zoomed: uPlot): void {
    const { min, max } = zoomed.scales.x;
    if (min === undefined || max === undefined || min === null || max === null) return;
    for (const plot of this.#plots) {
      if (plot === zoomed || (plot.scales.x.min === min && plot.scales.x.max === max)) continue;
      plot.setScale("x", { min, max });
    }
  }
}

function widthOf(place: HTMLElement): number {
  return Math.max(200, Math.floor(place.clientWidth) || 400);
}

/** `light-dark(a, b)` as the color that is in force: a canvas does not know it. */
function resolved(color: string): string {
  const probe = make("span", { hidden: false });
  probe.style.color = color;
  document.body.append(probe);
  const { color: found } = getComputedStyle(probe);
  probe.remove();
  return found;
}
