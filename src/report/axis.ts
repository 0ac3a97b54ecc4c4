/** Axes: scales and round tick values by d3-scale, labels of ticks, and the interval that data need. */
// @ts-types="@types/d3-scale"
import { scaleLinear } from "d3-scale";

/** One axis of a panel. */
export interface Axis {
  /** What it shows, with the unit. */
  label: string;
  /** The values at its two ends, low first. */
  domain: [number, number];
}

/** Maps values of an axis to pixels, linearly, and knows its ticks. */
export interface AxisScale {
  /** From a value to pixels. */
  (value: number): number;
  /** Round values inside the domain, ascending, about `count` of them. */
  ticks(count: number): number[];
}

/** @param range the pixels of the domain's two ends */
export function axisScale(domain: [number, number], range: [number, number]): AxisScale {
  return scaleLinear(domain, range);
}

/** Labels of ticks, all with as many decimals as their step needs; thousands as k, millions as M. */
export function tickLabels(values: readonly number[]): string[] {
  const largest = Math.max(...values.map(Math.abs), 0);
  const step = values.length > 1 ? values[1] - values[0] : largest || 1;
  const [unit, suffix] = largest >= 1e6 ? [1e6, "M"] : largest >= 1e4 ? [1e3, "k"] : [1, ""];
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step / unit) + 1e-9)));
  return values.map((value) =>
    value === 0 ? "0" : (value / unit).toFixed(decimals).replace("-", "\u2212") + suffix
  );
}

/** The interval of all finite values, widened by a share of its length at both ends. */
export function extent(lists: ReadonlyArray<ArrayLike<number>>, margin = 0): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      if (!Number.isFinite(list[i])) continue;
      low = Math.min(low, list[i]);
      high = Math.max(high, list[i]);
    }
  }
  if (low > high) return [0, 1];
  if (low === high) {
    const room = Math.abs(high) * 0.1 || 0.5;
    return [low - room, high + room];
  }
  return [low - (high - low) * margin, high + (high - low) * margin];
}
