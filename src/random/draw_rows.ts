/**
 * Draws of a part of a batch: where several processes share a batch, each draws for its own samples the
 * numbers that one process would have drawn for them.
 */

/**
 * Which rows of the whole draw are drawn: the whole one consists of `parts` equal parts, one after
 * another, and each part of `shares` equal shares; this draw has share number `share` of every part.
 */
export interface DrawRows {
  /** 0 to `shares - 1`. */
  share: number;
  /** How many processes share the draw. */
  shares: number;
  /** 2 where reals and fakes are one batch, 1 elsewhere. */
  parts: number;
}

/**
 * Fills `out` with the rows that belong to a draw.
 * @param rows undefined: all of them
 * @param fill writes numbers of a stream from number `firstIndex` on, which is a multiple of 4
 */
export function fillRows(
  out: Float32Array,
  rows: DrawRows | undefined,
  fill: (out: Float32Array, firstIndex: number) => void,
): void {
  if (rows === undefined) {
    fill(out, 0);
    return;
  }
  const { share, shares, parts } = rows;
  const size = out.length / parts;
  for (let part = 0; part < parts; part++) {
    const first = (part * shares + share) * size;
    const skipped = first % 4;
    const own = out.subarray(part * size, (part + 1) * size);
    if (skipped === 0) {
      fill(own, first);
      continue;
    }
    const wide = new Float32Array(skipped + size);
    fill(wide, first - skipped);
    own.set(wide.subarray(skipped));
  }
}
