/// <reference lib="dom" />
/** Shows samples that are numbers: 2-D points, or a histogram of 1-D ones. */
import type { SampleList } from "@ganforge/ganforge/sampler";

const MARGIN = 64;

/**
 * Draws the samples and says in words what it drew.
 * @param marked one sample's values to point out
 */
export function plotSamples(
  canvas: HTMLCanvasElement,
  samples: SampleList,
  marked: ArrayLike<number> | null,
): string {
  const context = canvas.getContext("2d")!;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = getComputedStyle(canvas).color;
  context.font = "20px system-ui, sans-serif";
  const ink = getComputedStyle(document.body).color;
  const rows = samples.map((sample) => Array.from(sample.values));
  if (rows[0].length === 1) return histogram(context, rows.map(([value]) => value), ink, marked);
  return scatter(context, rows, ink, marked);
}

/** The first two values of each sample, with equal scales; a ring around the marked one. */
function scatter(
  context: CanvasRenderingContext2D,
  rows: number[][],
  ink: string,
  marked: ArrayLike<number> | null,
): string {
  const { width, height } = context.canvas;
  const [xs, ys] = [0, 1].map((axis) => extent(rows.map((row) => row[axis])));
  const span = Math.max(xs.high - xs.low, ys.high - ys.low) || 1;
  const unit = (Math.min(width, height) - 2 * MARGIN) / span;
  const toX = (x: number) => width / 2 + (x - (xs.low + xs.high) / 2) * unit;
  const toY = (y: number) => height / 2 - (y - (ys.low + ys.high) / 2) * unit;
  context.globalAlpha = 0.7;
  for (const [x, y] of rows) {
    context.beginPath();
    context.arc(toX(x), toY(y), 4, 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
  if (marked !== null) {
    context.strokeStyle = ink;
    context.lineWidth = 4;
    context.beginPath();
    context.arc(toX(marked[0]), toY(marked[1]), 12, 0, 2 * Math.PI);
    context.stroke();
  }
  for (const x of [xs.low, xs.high]) label(context, ink, x.toFixed(2), toX(x), height - 12);
  for (const y of [ys.low, ys.high]) label(context, ink, y.toFixed(2), 30, toY(y) + 7);
  const shown = rows[0].length === 2 ? "" : `, the first 2 of ${rows[0].length} values each`;
  return `${rows.length} points${shown}: x from ${xs.low.toFixed(2)} to ${xs.high.toFixed(2)}, ` +
    `y from ${ys.low.toFixed(2)} to ${ys.high.toFixed(2)}`;
}

/** A bar for each of so many equal steps; a line at the marked number. */
function histogram(
  context: CanvasRenderingContext2D,
  values: number[],
  ink: string,
  marked: ArrayLike<number> | null,
): string {
  const { width, height } = context.canvas;
  const { low, high } = extent(values);
  const counts: number[] = Array(Math.max(8, Math.round(Math.sqrt(values.length) * 2))).fill(0);
  for (const value of values) {
    const bin = Math.floor((value - low) / ((high - low) || 1) * counts.length);
    counts[Math.min(bin, counts.length - 1)]++;
  }
  const most = Math.max(...counts);
  const step = (width - 2 * MARGIN) / counts.length;
  counts.forEach((count, bin) => {
    const tall = count / most * (height - 2 * MARGIN);
    context.fillRect(MARGIN + bin * step, height - MARGIN - tall, step - 2, tall);
  });
  if (marked !== null) {
    const share = (marked[0] - low) / ((high - low) || 1);
    const style = context.fillStyle;
    context.fillStyle = ink;
    context.fillRect(
      MARGIN + share * (width - 2 * MARGIN) - 2,
      MARGIN / 2,
      4,
      height - 1.5 * MARGIN,
    );
    context.fillStyle = style;
  }
  label(context, ink, low.toFixed(2), MARGIN, height - 12);
  label(context, ink, high.toFixed(2), width - MARGIN, height - 12);
  return `Histogram of ${values.length} values from ${low.toFixed(2)} to ${high.toFixed(2)}`;
}

function label(
  context: CanvasRenderingContext2D,
  ink: string,
  text: string,
  x: number,
  y: number,
): void {
  const { fillStyle } = context;
  context.fillStyle = ink;
  context.textAlign = "center";
  context.fillText(text, x, y);
  context.fillStyle = fillStyle;
}

function extent(values: number[]): { low: number; high: number } {
  return values.reduce(
    ({ low, high }, value) => ({ low: Math.min(low, value), high: Math.max(high, value) }),
    { low: Infinity, high: -Infinity },
  );
}
