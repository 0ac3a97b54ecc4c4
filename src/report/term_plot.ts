/** The losses of a model of several networks over the steps: a panel for each update, a curve for each term. */
import { type Axis, extent } from "./axis.ts";
import { drawFigure, type Panel } from "./figure.ts";
import { lossCurve } from "./loss_plot.ts";
import { COLORS } from "./theme.ts";

/** What {@linkcode drawTermPlot} shows. */
export interface TermPlot {
  title: string;
  subtitle: string;
  /** Lines of metrics.jsonl, in the order of their steps. */
  records: readonly ({ step: number } & Readonly<Record<string, number>>)[];
  /** Each update and the names of its terms; the update's loss is called `<name>Loss`. */
  updates: readonly { name: string; terms: readonly string[] }[];
}

const CURVE_COLORS = [
  COLORS.generator,
  COLORS.discriminator,
  COLORS.real,
  COLORS.fake,
  COLORS.axis,
];

/** Draws the losses. @returns an SVG document */
export function drawTermPlot({ title, subtitle, records, updates }: TermPlot): string {
  const x: Axis = { label: "step", domain: [0, records.at(-1)?.step ?? 1] };
  const panels = updates.map(({ name, terms }): Panel => {
    // The sum of one term is that term.
    const names = terms.length === 1 ? [...terms] : [`${name}Loss`, ...terms];
    const marks = names.flatMap((curve, place) =>
      lossCurve(records, curve, {
        label: curve,
        color: CURVE_COLORS[place % CURVE_COLORS.length],
      })
    );
    const values = records.flatMap((record) => names.map((curve) => record[curve] ?? NaN))
      .filter(Number.isFinite).sort((a, b) => a - b);
    const cut = Math.floor(values.length / 100);
    const [low, high] = values.length
      ? extent([values.slice(cut, values.length - cut)], 0.08)
      : [0, 1];
    const domain: [number, number] = low > 0 && low < 0.3 * high ? [0, high] : [low, high];
    return { title: name, x, y: { label: "loss", domain }, marks, height: 200 };
  });
  return drawFigure({ title, subtitle, panels });
}
