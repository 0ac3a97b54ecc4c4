/**
 * How the plots look. The colors are Okabe and Ito's (2008), which people with any kind of color vision
 * can tell apart, on white.
 */

/** Colors by what they stand for. */
export const COLORS = {
  text: "#24292f",
  quiet: "#57606a",
  grid: "#e6e8eb",
  axis: "#8c959f",
  background: "#ffffff",
  /** Real data. */
  data: "#8c959f",
  /** Known or optimal, from theory. */
  theory: "#24292f",
  /** What the generator makes or loses. */
  generator: "#0072b2",
  /** What the discriminator says or loses. */
  discriminator: "#d55e00",
  /** D of real data. */
  real: "#009e73",
  /** D of generated samples. */
  fake: "#cc79a7",
} as const;

/** A browser takes the first that it has; the PNGs use the bundled Inter. */
export const FONT_FAMILY = "Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif";

/** Font sizes, in pixels. */
export const FONT = { title: 18, subtitle: 13, panel: 14, label: 13, tick: 12 } as const;

/**
 * About how wide a text comes out, in pixels. SVG text cannot be measured without a browser; this is good
 * for spacing legends, within 10% of Inter.
 */
export function textWidth(text: string, size: number): number {
  let em = 0;
  for (const letter of text) {
    if (/[ijl.,:;'|!()[\]I ]/.test(letter)) em += 0.31;
    else if (/[mwMW\u2013\u2014]/.test(letter)) em += 0.88;
    else if (/[A-Z=+<>~\u2212]/.test(letter)) em += 0.68;
    else em += 0.58;
  }
  return em * size;
}
