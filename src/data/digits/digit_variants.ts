/**
 * Synthetic digits in other forms, for the presets that turn one image into another: their edges, and
 * thick colored ones. Each form follows from the gray digit alone, so the true counterpart is known.
 */

/** A gray image's pixels. */
interface GrayImage {
  /** `[size, size]` */
  pixels: Uint8Array;
  size: number;
}

/** The morphological gradient: the largest less the smallest of each 3 x 3 pixels. @returns `[size, size]` */
export function edgesOf({ pixels, size }: GrayImage): Uint8Array {
  const edges = new Uint8Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const { low, high } = rangeAround({ pixels, size }, [y, x]);
      edges[y * size + x] = high - low;
    }
  }
  return edges;
}

/** Ink and paper of {@linkcode colored}, RGB. */
const INK = [255, 176, 48];
const PAPER = [24, 32, 96];

/** The digit one pixel thicker on every side, orange on blue. @returns `[size, size, 3]` */
export function colored({ pixels, size }: GrayImage): Uint8Array {
  const image = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const { high } = rangeAround({ pixels, size }, [y, x]);
      writeMixed(image.subarray((y * size + x) * 3), { ink: INK, paper: PAPER, share: high / 255 });
    }
  }
  return image;
}

/** Writes one RGB pixel between two colors. */
export function writeMixed(
  out: Uint8Array,
  { ink, paper, share }: { ink: readonly number[]; paper: readonly number[]; share: number },
): void {
  for (let c = 0; c < 3; c++) out[c] = Math.round(paper[c] + (ink[c] - paper[c]) * share);
}

/** The smallest and the largest of the 3 x 3 pixels around a place; fewer at the border. */
function rangeAround(
  { pixels, size }: GrayImage,
  [row, column]: [number, number],
): { low: number; high: number } {
  let low = 255;
  let high = 0;
  for (let y = Math.max(0, row - 1); y <= Math.min(size - 1, row + 1); y++) {
    for (let x = Math.max(0, column - 1); x <= Math.min(size - 1, column + 1); x++) {
      low = Math.min(low, pixels[y * size + x]);
      high = Math.max(high, pixels[y * size + x]);
    }
  }
  return { low, high };
}
