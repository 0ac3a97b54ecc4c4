/** The curves of a run: losses, and what D says of real and generated samples, over the steps. */
import type { LogitKind } from "../config/objective.ts";
import { type Axis, extent } from "./axis.ts";
import { drawFigure, type Panel } from "./figure.ts";
import type { Mark } from "./marks.ts";
import { COLORS } from "./theme.ts";

/** A line of metrics.jsonl, as far as the curves need it. */
export interface LossRecord {
  /** Steps done. */
  step: number;
  /** The discriminator's loss. */
  dLoss?: number;
  /** The generator's loss. */
  gLoss?: number;
  /** What D says of real samples: a probability, or a critic's value. */
  dReal?: number;
  /** What D says of generated samples. */
  dFake?: number;
}

/** What {@linkcode drawLossPlot} shows. */
export interface LossPlot {
  /** The figure's title. */
  title: string;
  /** A line under the title: which run, which step. */
  subtitle?: string;
  /** In the order of their steps. */
  records: readonly LossRecord[];
  /** What dReal and dFake are. Default: probabilities. */
  logitKind?: LogitKind;
}

/** Points that a curve is drawn with; more records are averaged in groups. */
const POINTS = 160;

type Curve = "dLoss" | "gLoss" | "dReal" | "dFake" | "margin";
type PlottedRecord = LossRecord & { margin?: number };

/**
 * Draws the losses above D's outputs. With many records a line shows the mean of each group, the band
 * around it the group's lowest and highest value.
 * @returns an SVG document
 */
export function drawLossPlot(plot: LossPlot): string {
  const { logitKind: kind = "probability" } = plot;
  const records: readonly PlottedRecord[] = kind === "margin"
    ? plot.records.map((record) => ({
      ...record,
      margin: (record.dReal ?? NaN) - (record.dFake ?? NaN),
    }))
    : plot.records;
  const lastStep = records.at(-1)?.step ?? 1;
  const x: Axis = { label: "step", domain: [0, lastStep] };
  const losses = [
    ...lossCurve(records, "dLoss", { label: "discriminator", color: COLORS.discriminator }),
    ...lossCurve(records, "gLoss", { label: "generator", color: COLORS.generator }),
  ];
  const logits = logitCurves(records, kind);
  const panels: Panel[] = [{
    title: "Losses",
    x,
    y: { label: "loss", domain: robustDomain(records, ["dLoss", "gLoss"]) },
    marks: losses,
    height: 230,
  }];
  if (logits.length > 0) {
    panels.push({ ...logitPanel(records, kind), x, marks: logits, height: 200 });
  }
  return drawFigure({ title: plot.title, subtitle: plot.subtitle, panels });
}

function logitCurves(records: readonly PlottedRecord[], kind: LogitKind): Mark[] {
  switch (kind) {
    case "margin": {
      const none: Mark = { kind: "level", y: 0, color: COLORS.axis, label: "cannot tell (0)" };
      const label = "D(x) \u2212 D(G(z)), mean over pairs";
      const margin = lossCurve(records, "margin", { label, color: COLORS.real });
      return margin.length ? [none, ...margin] : [];
    }
    case "value":
      return [
        ...lossCurve(records, "dReal", { label: "D of data", color: COLORS.real }),
        ...lossCurve(records, "dFake", { label: "D of generated", color: COLORS.fake }),
      ];
    case "probability": {
      const half: Mark = { kind: "level", y: 0.5, color: COLORS.axis, label: "cannot tell (1/2)" };
      const curves = [
        ...lossCurve(records, "dReal", { label: "D(x), data", color: COLORS.real }),
        ...lossCurve(records, "dFake", { label: "D(G(z)), generated", color: COLORS.fake }),
      ];
      return curves.length ? [half, ...curves] : [];
    }
  }
}

function logitPanel(
  records: readonly PlottedRecord[],
  kind: LogitKind,
): Pick<Panel, "title" | "y"> {
  switch (kind) {
    case "margin":
      return {
        title: "How much more real the discriminator finds data",
        y: { label: "difference", domain: robustDomain(records, ["margin"]) },
      };
    case "value":
      return {
        title: "What the critic says",
        y: { label: "value", domain: robustDomain(records, ["dReal", "dFake"]) },
      };
    case "probability":
      return {
        title: "What the discriminator says",
        y: { label: "probability of real", domain: [0, 1] },
      };
  }
}

/**
 * A scalar over the steps, averaged in groups where there are many.
 * @param name the scalar's name in the records
 */
export function lossCurve(
  records: readonly { step: number }[],
  name: string,
  style: { label: string; color: string },
): Mark[] {
  const points = records.map((record) => ({
    step: record.step,
    value: (record as Partial<Record<string, number>>)[name] ?? NaN,
  }));
  const known = points.filter(({ value }) => Number.isFinite(value));
  if (known.length === 0) return [];
  const groups = Math.min(POINTS, known.length);
  const x = new Float64Array(groups);
  const mean = new Float64Array(groups);
  const low = new Float64Array(groups).fill(Infinity);
  const high = new Float64Array(groups).fill(-Infinity);
  for (let g = 0; g < groups; g++) {
    const first = Math.floor(g * known.length / groups);
    const last = Math.floor((g + 1) * known.length / groups);
    for (let i = first; i < last; i++) {
      const { value } = known[i];
      mean[g] += value / (last - first);
      x[g] += known[i].step / (last - first);
      low[g] = Math.min(low[g], value);
      high[g] = Math.max(high[g], value);
    }
  }
  const line: Mark = { kind: "line", x, y: mean, ...style, width: 1.8 };
  if (known.length === groups) return [line];
  return [{ kind: "band", x, low, high, color: style.color, opacity: 0.18 }, line];
}

/** All but the wildest hundredth of the values on either side, so that one spike does not flatten the rest. */
function robustDomain(records: readonly PlottedRecord[], names: Curve[]): [number, number] {
  const values = records.flatMap((record) => names.map((name) => record[name] ?? NaN))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const cut = Math.floor(values.length / 100);
  const [low, high] = extent([values.slice(cut, values.length - cut)], 0.08);
  return low > 0 && low < 0.3 * high ? [0, high] : [low, high];
}
