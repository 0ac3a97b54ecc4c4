/** Draws polylines as gray pixels: how dark a pixel is follows from its distance to the nearest line. */
import type { Polyline } from "./strokes.ts";

/** A square image and the pen. Lengths are in pixels. */
export interface Pen {
  /** Side of the image. */
  size: number;
  /** Half the width of a line. */
  radius: number;
  /** Over which distance a line's edge fades. */
  softness: number;
}

/**
 * Draws white (255) lines on black.
 * @param out `[size, size]`, overwritten
 * @param lines in pixels; a pixel's center has coordinates that end in .5
 */
export function renderLines(out: Uint8Array, lines: readonly Polyline[], pen: Pen): void {
  const { size, radius, softness } = pen;
  const reach = radius + softness / 2;
  const squared = new Float64Array(size * size).fill(reach * reach);
  for (const line of lines) {
    for (let i = 0; i + 3 < line.length; i += 2) {
      drawSegment(squared, line.subarray(i, i + 4), { size, reach });
    }
  }
  for (let i = 0; i < squared.length; i++) {
    const inside = (reach - Math.sqrt(squared[i])) / softness;
    out[i] = Math.round(255 * Math.min(1, inside));
  }
}

/** Lowers each near pixel's squared distance to that of the segment. */
function drawSegment(
  squared: Float64Array,
  [x0, y0, x1, y1]: Float64Array,
  { size, reach }: { size: number; reach: number },
): void {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const lengthSquared = dx * dx + dy * dy;
  const left = Math.max(0, Math.floor(Math.min(x0, x1) - reach));
  const right = Math.min(size - 1, Math.ceil(Math.max(x0, x1) + reach));
  const top = Math.max(0, Math.floor(Math.min(y0, y1) - reach));
  const bottom = Math.min(size - 1, Math.ceil(Math.max(y0, y1) + reach));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const px = x + 0.5 - x0;
      const py = y + 0.5 - y0;
      const along = lengthSquared > 0 ? (px * dx + py * dy) / lengthSquared : 0;
      const t = along < 0 ? 0 : along > 1 ? 1 : along;
      const ex = px - t * dx;
      const ey = py - t * dy;
      const distance = ex * ex + ey * ey;
      if (distance < squared[y * size + x]) squared[y * size + x] = distance;
    }
  }
}
