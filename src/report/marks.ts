/** What is drawn in a panel: lines, histograms, points, circles and reference lines, each as SVG. */
// @ts-types="@types/d3-shape"
import { area, curveStepAfter, line } from "d3-shape";
import { element } from "./svg.ts";

/** Maps a panel's values to its pixels. */
export interface PanelScale {
  /** From the left. */
  x(value: number): number;
  /** From the top. */
  y(value: number): number;
}

/** What every mark has. */
export interface Labeled {
  /** The name in the legend; none without. */
  label?: string;
  /** A CSS color. */
  color: string;
}

/** Something drawn in a panel. */
export type Mark =
  /** A line through points; a NaN breaks it. */
  | Labeled & {
    kind: "line";
    x: ArrayLike<number>;
    y: ArrayLike<number>;
    width?: number;
    dashed?: boolean;
  }
  /** The area between two curves. */
  | Labeled & {
    kind: "band";
    x: ArrayLike<number>;
    low: ArrayLike<number>;
    high: ArrayLike<number>;
    opacity: number;
  }
  /** A histogram: `heights[i]` over the i-th of equal bins of `range`. */
  | Labeled & {
    kind: "bars";
    range: [number, number];
    heights: ArrayLike<number>;
    opacity: number;
    outlined?: boolean;
  }
  /** Points. */
  | Labeled & {
    kind: "dots";
    x: ArrayLike<number>;
    y: ArrayLike<number>;
    radius: number;
    opacity: number;
  }
  /** Circles in the units of the x axis. */
  | Labeled & { kind: "circles"; centers: ReadonlyArray<ArrayLike<number>>; radius: number }
  /** A level across the panel. */
  | Labeled & { kind: "level"; y: number };

/** The mark as SVG. */
export function drawMark(mark: Mark, scale: PanelScale, width: number): string {
  switch (mark.kind) {
    case "line":
      return element("path", {
        d: linePath(mark.x, mark.y, scale),
        fill: "none",
        stroke: mark.color,
        "stroke-width": mark.width ?? 2,
        "stroke-linejoin": "round",
        "stroke-dasharray": mark.dashed ? "6 4" : undefined,
      });
    case "band":
      return element("path", {
        d: bandPath(mark, scale),
        fill: mark.color,
        "fill-opacity": mark.opacity,
      });
    case "bars":
      return drawBars(mark, scale);
    case "dots":
      // Lines of no length with round ends: a fraction of the bytes of circles.
      return element("path", {
        d: dotsPath(mark.x, mark.y, scale),
        stroke: mark.color,
        "stroke-width": 2 * mark.radius,
        "stroke-linecap": "round",
        "stroke-opacity": mark.opacity,
      });
    case "circles":
      return mark.centers.map((center) =>
        element("circle", {
          cx: scale.x(center[0]),
          cy: scale.y(center[1]),
          r: Math.max(3, Math.abs(scale.x(mark.radius) - scale.x(0))),
          fill: "none",
          stroke: mark.color,
          "stroke-width": 1.2,
        })
      ).join("");
    case "level": {
      const y = scale.y(mark.y);
      return element("path", {
        d: `M0 ${y.toFixed(1)}H${width}`,
        stroke: mark.color,
        "stroke-width": 1.5,
        "stroke-dasharray": "2 4",
      });
    }
  }
}

/** The mark's sample in a legend, 22 pixels wide, around the height `y`. */
export function drawSwatch(mark: Mark, x: number, y: number): string {
  const { color } = mark;
  if (mark.kind === "bars" || mark.kind === "band") {
    return element("rect", {
      x,
      y: y - 6,
      width: 22,
      height: 12,
      fill: color,
      "fill-opacity": mark.opacity,
      stroke: mark.kind === "bars" && mark.outlined ? color : undefined,
    });
  }
  if (mark.kind === "dots" || mark.kind === "circles") {
    const hollow = mark.kind === "circles";
    return element("circle", {
      cx: x + 11,
      cy: y,
      r: hollow ? 5 : 4,
      fill: hollow ? "none" : color,
      stroke: hollow ? color : undefined,
    });
  }
  return element("path", {
    d: `M${x} ${y}h22`,
    stroke: color,
    "stroke-width": mark.kind === "line" ? mark.width ?? 2 : 1.5,
    "stroke-dasharray": mark.kind === "level" ? "2 4" : mark.dashed ? "6 4" : undefined,
  });
}

/** Coordinates stay near the panel: a diverged loss of 1e30 would overflow a renderer's floats. */
const MAX_PIXELS = 1e4;

/** A value's pixel, kept near the panel. */
function pixel(value: number, scale: (value: number) => number): number {
  return Math.max(-MAX_PIXELS, Math.min(MAX_PIXELS, scale(value)));
}

function linePath(x: ArrayLike<number>, y: ArrayLike<number>, scale: PanelScale): string {
  return line<number>()
    .digits(1)
    .defined((i) => Number.isFinite(x[i]) && Number.isFinite(y[i]))
    .x((i) => pixel(x[i], scale.x))
    .y((i) => pixel(y[i], scale.y))(indices(x.length)) ?? "";
}

function dotsPath(x: ArrayLike<number>, y: ArrayLike<number>, scale: PanelScale): string {
  let path = "";
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i]) || !Number.isFinite(y[i])) continue;
    path += `M${pixel(x[i], scale.x).toFixed(1)},${pixel(y[i], scale.y).toFixed(1)}h0`;
  }
  return path;
}

function bandPath({ x, low, high }: Mark & { kind: "band" }, scale: PanelScale): string {
  return area<number>()
    .digits(1)
    .x((i) => pixel(x[i], scale.x))
    .y0((i) => pixel(low[i], scale.y))
    .y1((i) => pixel(high[i], scale.y))(
      indices(x.length).filter((i) => Number.isFinite(low[i]) && Number.isFinite(high[i])),
    ) ?? "";
}

function drawBars(mark: Mark & { kind: "bars" }, scale: PanelScale): string {
  const { range: [low, high], heights, color } = mark;
  const last = heights.length - 1;
  const path = area<number>()
    .digits(1)
    .curve(curveStepAfter)
    .x((i) => pixel(low + (high - low) * i / heights.length, scale.x))
    .y0(pixel(0, scale.y))
    .y1((i) => pixel(heights[Math.min(i, last)], scale.y))(indices(heights.length + 1));
  return element("path", {
    d: path ?? "",
    fill: color,
    "fill-opacity": mark.opacity,
    stroke: mark.outlined ? color : undefined,
    "stroke-width": mark.outlined ? 1.2 : undefined,
  });
}

/** 0, 1, ..., length - 1: what d3's path builders are given, so that arrays need no copies. */
function indices(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
