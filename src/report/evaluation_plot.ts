/** The measures of a run over its steps: one panel each, the best evaluation marked. */
import { formatInteger } from "../text.ts";
import { type Axis, extent } from "./axis.ts";
import { drawFigure, type Panel } from "./figure.ts";
import type { Mark } from "./marks.ts";
import { COLORS } from "./theme.ts";

/** A measure over the steps. */
export interface MeasureCurve {
  /** "JSD, lower is better", say. */
  title: string;
  /** What the axis says. */
  label: string;
  /** Its figures in the order of the steps; null where one is not known. */
  values: readonly (number | null)[];
}

/** What {@linkcode drawEvaluationPlot} shows. */
export interface EvaluationPlot {
  /** The figure's title. */
  title: string;
  /** A line under the title. */
  subtitle?: string;
  /** Steps of the evaluations, ascending. */
  steps: readonly number[];
  /** One panel each; the first decides which is the best. */
  curves: readonly MeasureCurve[];
  /** The step of the best evaluation. */
  best?: number;
}

/** Panels that are drawn; more do not fit a page. */
const MAX_PANELS = 3;

/** Draws the measures over the steps. @returns an SVG document */
export function drawEvaluationPlot(plot: EvaluationPlot): string {
  const { title, subtitle, steps, curves, best } = plot;
  const x: Axis = { label: "step", domain: [0, 1.01 * (steps.at(-1) ?? 1)] }; // room for the last dot
  const panels = curves.slice(0, MAX_PANELS).map((curve, index): Panel => {
    const known = steps.map((step, i) => [step, curve.values[i]] as const)
      .filter((point): point is [number, number] => Number.isFinite(point[1]));
    const at = (points: readonly (readonly [number, number])[], axis: 0 | 1): Float64Array =>
      Float64Array.from(points, (point) => point[axis]);
    const color = index === 0 ? COLORS.generator : COLORS.real;
    const bestPoint = known.filter(([step]) => step === best);
    const marks: Mark[] = [
      { kind: "line", x: at(known, 0), y: at(known, 1), color, width: 1.8 },
      { kind: "dots", x: at(known, 0), y: at(known, 1), color, radius: 2.2, opacity: 1 },
    ];
    if (bestPoint.length) {
      marks.push({
        kind: "dots",
        x: at(bestPoint, 0),
        y: at(bestPoint, 1),
        color: COLORS.discriminator,
        radius: 5,
        opacity: 1,
        label: index === 0 ? `the best, step ${formatInteger(best!)}` : undefined,
      });
    }
    return {
      title: curve.title,
      x,
      y: { label: curve.label, domain: domainOf(known.map(([, value]) => value)) },
      marks,
      height: index === 0 ? 220 : 150,
    };
  });
  return drawFigure({ title, subtitle, panels });
}

/** From 0 where the figures come near it, so that a small change looks small. */
function domainOf(values: readonly number[]): [number, number] {
  const [low, high] = extent([values], 0.08);
  return Math.min(...values) >= 0 && low < 0.5 * high ? [0, high] : [low, high];
}
