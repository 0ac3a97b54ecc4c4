/** Axes: round tick values, their labels, and the map from values to pixels. */

/** One axis of a panel. */
export interface Axis {
  /** What it shows, with the unit. */
  label: string;
  /** The values at its two ends, low first. */
  domain: [number, number];
}

/**
 * Round values that cut an interval into about `count` parts: multiples of 1, 2 or 5 times a power of ten.
 * @returns ascending values inside the interval
 */
export function ticks([low, high]: [number, number], count: number): number[] {
  const step = tickStep(high - low, count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const value = (first + i) * step;
    return Number(value.toPrecision(12)); // 0.30000000000000004 is 0.3
  });
}

function tickStep(span: number, count: number): number {
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
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
  const room = (high - low) * margin || Math.abs(high) * 0.1 || 0.5;
  return high > low
    ? [low - (high - low) * margin, high + (high - low) * margin]
    : [low - room, high + room];
}

/** Maps values of a domain to pixels, linearly. */
export function linearScale(
  domain: [number, number],
  range: [number, number],
): (value: number) => number {
  const factor = (range[1] - range[0]) / (domain[1] - domain[0]);
  return (value) => range[0] + (value - domain[0]) * factor;
}
