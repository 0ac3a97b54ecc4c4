/**
 * Figures: a title and panels under one another, each with axes, ticks, a legend and marks, as one SVG
 * text. d3-scale and d3-shape give scales, ticks and paths; elements are written as text, because a
 * library that draws whole charts needs a document model to run in.
 */
import { type Axis, type AxisScale, axisScale, tickLabels } from "./axis.ts";
import { drawMark, drawSwatch, type Mark } from "./marks.ts";
import { element, escapeXml } from "./svg.ts";
import { COLORS, FONT, FONT_FAMILY, textWidth } from "./theme.ts";

/** One coordinate system. */
export interface Panel {
  /** Above the legend; none without. */
  title?: string;
  /** The axis at the bottom. */
  x: Axis;
  /** The axis on the left. */
  y: Axis;
  /** Drawn in this order. */
  marks: Mark[];
  /** Pixels between top and bottom axis. Default 260. */
  height?: number;
  /** One unit is as long on x as on y: the panel is as wide as its height demands. */
  equalUnits?: boolean;
}

/** A whole plot. */
export interface Figure {
  /** At the top left. */
  title: string;
  /** A line under the title: which run, which step. */
  subtitle?: string;
  /** From top to bottom. */
  panels: Panel[];
  /** Pixels. Default 760. */
  width?: number;
}

const MARGIN = { left: 66, right: 24, top: 20, bottom: 16 };
const X_AXIS_SPACE = 46;

/** Draws a figure. @returns an SVG document */
export function drawFigure(figure: Figure): string {
  const width = figure.width ?? 760;
  const parts = [
    text(figure.title, MARGIN.left, MARGIN.top + 16, { size: FONT.title, bold: true }),
  ];
  let y = MARGIN.top + 24;
  if (figure.subtitle) {
    parts.push(
      text(figure.subtitle, MARGIN.left, y + 14, { size: FONT.subtitle, color: COLORS.quiet }),
    );
    y += 22;
  }
  for (const [i, panel] of figure.panels.entries()) {
    const drawn = drawPanel(panel, width, `panel${i}`);
    parts.push(element("g", { transform: `translate(0 ${y})` }, drawn.svg));
    y += drawn.height;
  }
  const height = Math.ceil(y + MARGIN.bottom);
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      "font-family": FONT_FAMILY,
      role: "img",
    },
    element("title", {}, escapeXml(figure.title)),
    element("rect", { width, height, fill: COLORS.background }),
    ...parts,
  );
}

function drawPanel(panel: Panel, width: number, id: string): { svg: string; height: number } {
  const parts: string[] = [];
  let top = 10;
  if (panel.title) {
    parts.push(text(panel.title, MARGIN.left, top + 16, { size: FONT.panel, bold: true }));
    top += 24;
  }
  const legend = drawLegend(panel.marks, width, top);
  parts.push(legend.svg);
  top += legend.height + 8;

  const innerHeight = panel.height ?? 260;
  const innerWidth = width - MARGIN.left - MARGIN.right;
  const [xDomain, yDomain] = panel.equalUnits
    ? equalDomains(panel, innerWidth / innerHeight)
    : [panel.x.domain, panel.y.domain];
  const scale = {
    x: axisScale(xDomain, [0, innerWidth]),
    y: axisScale(yDomain, [innerHeight, 0]),
  };
  const clip = element(
    "clipPath",
    { id },
    element("rect", { x: -1, y: -4, width: innerWidth + 2, height: innerHeight + 8 }),
  );
  const marks = panel.marks.map((mark) => drawMark(mark, scale, innerWidth)).join("");
  parts.push(element(
    "g",
    { transform: `translate(${MARGIN.left} ${top})` },
    clip,
    drawAxes(panel, { ...scale, innerWidth, innerHeight }),
    element("g", { "clip-path": `url(#${id})` }, marks),
    // The baseline goes over the bars, so that they stand on it.
    element("path", { d: `M0 ${innerHeight}H${innerWidth}`, stroke: COLORS.axis }),
  ));
  return { svg: parts.join(""), height: top + innerHeight + X_AXIS_SPACE };
}

/** Widens one domain around its middle, so that a unit has the same length on both axes. */
function equalDomains(panel: Panel, aspect: number): [[number, number], [number, number]] {
  const [x, y] = [panel.x.domain, panel.y.domain];
  const unitsWide = Math.max(x[1] - x[0], (y[1] - y[0]) * aspect);
  const around = ([low, high]: [number, number], span: number): [number, number] => [
    (low + high - span) / 2,
    (low + high + span) / 2,
  ];
  return [around(x, unitsWide), around(y, unitsWide / aspect)];
}

interface AxesLayout {
  x: AxisScale;
  y: AxisScale;
  innerWidth: number;
  innerHeight: number;
}

function drawAxes(panel: Panel, layout: AxesLayout): string {
  const { x, y, innerWidth, innerHeight } = layout;
  const parts: string[] = [];
  const spacing = panel.equalUnits ? 90 : 50; // equal units deserve equal steps
  const yTicks = y.ticks(Math.max(2, Math.round(innerHeight / spacing)));
  const yLabels = tickLabels(yTicks);
  yTicks.forEach((value, i) => {
    const at = y(value);
    parts.push(
      element("path", { d: `M0 ${at.toFixed(1)}H${innerWidth}`, stroke: COLORS.grid }),
      text(yLabels[i], -8, at + 4, { size: FONT.tick, anchor: "end", color: COLORS.quiet }),
    );
  });
  const xTicks = x.ticks(Math.max(2, Math.round(innerWidth / 90)));
  const xLabels = tickLabels(xTicks);
  xTicks.forEach((value, i) => {
    const at = x(value);
    if (panel.equalUnits) {
      parts.push(
        element("path", { d: `M${at.toFixed(1)} 0V${innerHeight}`, stroke: COLORS.grid }),
      );
    }
    parts.push(
      element("path", { d: `M${at.toFixed(1)} ${innerHeight}v5`, stroke: COLORS.axis }),
      text(xLabels[i], at, innerHeight + 19, {
        size: FONT.tick,
        anchor: "middle",
        color: COLORS.quiet,
      }),
    );
  });
  parts.push(
    text(panel.x.label, innerWidth / 2, innerHeight + 38, { size: FONT.label, anchor: "middle" }),
    text(panel.y.label, -48, innerHeight / 2, {
      size: FONT.label,
      anchor: "middle",
      transform: `rotate(-90 -48 ${shortPixels(innerHeight / 2)})`,
    }),
  );
  return parts.join("");
}

function drawLegend(
  marks: readonly Mark[],
  width: number,
  top: number,
): { svg: string; height: number } {
  const named = marks.filter((mark) => mark.label);
  const isLevel = (mark: Mark): boolean => mark.kind === "level";
  const shown = [...named.filter((mark) => !isLevel(mark)), ...named.filter(isLevel)];
  if (shown.length === 0) return { svg: "", height: 0 };
  const parts: string[] = [];
  let x = MARGIN.left;
  let y = top + 10;
  for (const mark of shown) {
    const label = mark.label ?? "";
    const space = 22 + 7 + textWidth(label, FONT.label) + 20;
    if (x > MARGIN.left && x + space - 20 > width - MARGIN.right) {
      x = MARGIN.left;
      y += 20;
    }
    parts.push(
      drawSwatch(mark, shortPixels(x), y),
      text(label, x + 29, y + 4.5, { size: FONT.label }),
    );
    x += space;
  }
  return { svg: parts.join(""), height: y - top + 10 };
}

function shortPixels(value: number): number {
  return Math.round(value * 10) / 10;
}

interface TextStyle {
  size: number;
  bold?: boolean;
  color?: string;
  anchor?: "middle" | "end";
  transform?: string;
}

function text(content: string, x: number, y: number, style: TextStyle): string {
  return element("text", {
    x,
    y,
    "font-size": style.size,
    "font-weight": style.bold ? 600 : undefined,
    fill: style.color ?? COLORS.text,
    "text-anchor": style.anchor,
    transform: style.transform,
  }, escapeXml(content));
}
