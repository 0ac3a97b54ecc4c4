/** What is drawn in a panel: lines, histograms, points, circles and reference lines, each as SVG. */
import { element } from "./svg.ts";

/** Maps a panel's values to its pixels. */
export interface PanelScale {
  /** From the left. */
  x(value: number): number;
  /** From the top. */
  y(value: number): number;
}

/** What every mark has. */
export interface Labelled {
  /** The name in the legend; none without. */
  label?: string;
  /** A CSS colour. */
  color: string;
}

/** Something drawn in a panel. */
export type Mark =
  /** A line through points; a NaN breaks it. */
  | Labelled & {
    kind: "line";
    x: ArrayLike<number>;
    y: ArrayLike<number>;
    width?: number;
    dashed?: boolean;
  }
  /** The area between two curves. */
  | Labelled & {
    kind: "band";
    x: ArrayLike<number>;
    low: ArrayLike<number>;
    high: ArrayLike<number>;
    opacity: number;
  }
  /** A histogram: `heights[i]` over the i-th of equal bins of `range`. */
  | Labelled & {
    kind: "bars";
    range: [number, number];
    heights: ArrayLike<number>;
    opacity: number;
    outlined?: boolean;
  }
  /** Points. */
  | Labelled & {
    kind: "dots";
    x: ArrayLike<number>;
    y: ArrayLike<number>;
    radius: number;
    opacity: number;
  }
  /** Circles in the units of the x axis. */
  | Labelled & { kind: "circles"; centers: ReadonlyArray<ArrayLike<number>>; radius: number }
  /** A level across the panel. */
  | Labelled & { kind: "level"; y: number };

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

function linePath(x: ArrayLike<number>, y: ArrayLike<number>, scale: PanelScale): string {
  let path = "";
  let pen = "M";
  for (let i = 0; i < x.length; i++) {
    if (Number.isFinite(x[i]) && Number.isFinite(y[i])) {
      path += pen + point(x[i], y[i], scale);
      pen = "L";
    } else {
      pen = "M";
    }
  }
  return path;
}

function dotsPath(x: ArrayLike<number>, y: ArrayLike<number>, scale: PanelScale): string {
  let path = "";
  for (let i = 0; i < x.length; i++) {
    if (Number.isFinite(x[i]) && Number.isFinite(y[i])) path += `M${point(x[i], y[i], scale)}h0`;
  }
  return path;
}

function bandPath(mark: Mark & { kind: "band" }, scale: PanelScale): string {
  const there: string[] = [];
  const back: string[] = [];
  for (let i = 0; i < mark.x.length; i++) {
    if (!Number.isFinite(mark.low[i]) || !Number.isFinite(mark.high[i])) continue;
    there.push(point(mark.x[i], mark.high[i], scale));
    back.unshift(point(mark.x[i], mark.low[i], scale));
  }
  return there.length ? `M${there.concat(back).join("L")}Z` : "";
}

function drawBars(mark: Mark & { kind: "bars" }, scale: PanelScale): string {
  const { range: [low, high], heights, color } = mark;
  const edge = (i: number): number => low + (high - low) * i / heights.length;
  let path = `M${point(low, 0, scale)}`;
  for (let i = 0; i < heights.length; i++) {
    path += `L${point(edge(i), heights[i], scale)}H${scale.x(edge(i + 1)).toFixed(1)}`;
  }
  path += `L${point(high, 0, scale)}Z`;
  return element("path", {
    d: path,
    fill: color,
    "fill-opacity": mark.opacity,
    stroke: mark.outlined ? color : undefined,
    "stroke-width": mark.outlined ? 1.2 : undefined,
  });
}

/** Coordinates, kept near the picture: a diverged loss of 1e30 would overflow a renderer's floats. */
function point(x: number, y: number, scale: PanelScale): string {
  const keep = (value: number): string => Math.max(-1e4, Math.min(1e4, value)).toFixed(1);
  return `${keep(scale.x(x))} ${keep(scale.y(y))}`;
}
