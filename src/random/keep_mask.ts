/**
 * Dropout's masks, made directly from the generator's bits: what comparing `fillUniform`'s numbers with
 * a threshold gives, about three times as fast. The hash of counter_random.ts is written out here,
 * because a call for each block would take half of the time.
 */
import type { RandomAddress } from "./counter_random.ts";

/** Which numbers stay. */
export interface KeepMask {
  /** A number stays where its uniform draw is at least this, which lies in (0, 1). */
  threshold: number;
  /** What the mask holds where a number stays; it holds 0 elsewhere. */
  value: number;
}

/** Images `[n, positions, channels]` that are to lie as `[n, channels, positions]`. */
export interface ChannelsFirst {
  /** Pixels of an image. */
  positions: number;
  /** Channels of an image. */
  channels: number;
}

/**
 * Fills `out` with a mask: element `i` belongs to number `i` of the stream.
 * @param options.layout without it elements lie in the stream's order; with it, number `i` belongs to
 * element `i` of an image whose channels are last, and its place in `out` is that of channels first
 * @param options.firstIndex the number of the stream's first number that is wanted; a multiple of 4
 */
export function fillKeepMask(
  out: Float32Array,
  address: RandomAddress,
  mask: KeepMask,
  { layout, firstIndex = 0 }: { layout?: ChannelsFirst; firstIndex?: number } = {},
): Float32Array {
  const firstBlock = firstIndex / 4;
  if (layout === undefined) {
    fillBlocks(out, address, mask, {
      firstBlock,
      runs: 1,
      runLength: Math.ceil(out.length / 4),
      stride: 1,
    });
    return out;
  }
  const { positions, channels } = layout;
  if (channels % 4 !== 0) {
    const inOrder = fillKeepMask(new Float32Array(out.length), address, mask, { firstIndex });
    for (let i = 0; i < out.length; i++) {
      const image = Math.floor(i / (positions * channels));
      const channel = i % channels;
      const position = Math.floor(i / channels) % positions;
      out[(image * channels + channel) * positions + position] = inOrder[i];
    }
    return out;
  }
  // A block of the stream holds four channels of one position: four rows of `out` are written at once.
  const perImage = positions * channels;
  for (let image = 0; image * perImage < out.length; image++) {
    fillBlocks(out.subarray(image * perImage, (image + 1) * perImage), address, mask, {
      firstBlock: firstBlock + image * perImage / 4,
      runs: channels / 4,
      runLength: positions,
      blockStride: channels / 4,
      stride: positions,
    });
  }
  return out;
}

/** Where blocks come from and where their four numbers go. */
interface BlockPlan {
  firstBlock?: number;
  /** Run `r` starts with block `firstBlock + r` and goes on in steps of `blockStride`. */
  runs: number;
  runLength: number;
  blockStride?: number;
  /** How far a block's four numbers lie apart. With 1, blocks follow each other. */
  stride: number;
}

function fillBlocks(
  out: Float32Array,
  { seed, stream, step }: RandomAddress,
  { threshold, value }: KeepMask,
  { firstBlock = 0, runs, runLength, blockStride = 1, stride }: BlockPlan,
): void {
  const bits = new Int32Array(out.buffer, out.byteOffset, out.length);
  const kept = new Int32Array(Float32Array.of(value).buffer)[0];
  // A draw is word >>> 8 in units of 2^-24; below is the largest that does not stay.
  const below = Math.ceil(Math.fround(threshold) * 2 ** 24) - 1;
  const y0 = (Math.imul(step, 1664525) + 1013904223) | 0;
  const z0 = (Math.imul(stream, 1664525) + 1013904223) | 0;
  const w0 = (Math.imul(seed, 1664525) + 1013904223) | 0;
  const advance = stride === 1 ? 4 : 1;
  for (let run = 0; run < runs; run++) {
    let at = run * 4 * stride;
    let block = firstBlock + run;
    for (let k = 0; k < runLength; k++, at += advance, block += blockStride) {
      // pcg4d as in counter_random.ts, written out: the words go straight into the mask.
      let x = (Math.imul(block, 1664525) + 1013904223) | 0;
      let y = y0;
      let z = z0;
      let w = w0;
      x = (x + Math.imul(y, w)) | 0;
      y = (y + Math.imul(z, x)) | 0;
      z = (z + Math.imul(x, y)) | 0;
      w = (w + Math.imul(y, z)) | 0;
      x ^= x >>> 16;
      y ^= y >>> 16;
      z ^= z >>> 16;
      w ^= w >>> 16;
      x = (x + Math.imul(y, w)) | 0;
      y = (y + Math.imul(z, x)) | 0;
      z = (z + Math.imul(x, y)) | 0;
      w = (w + Math.imul(y, z)) | 0;
      // The sign of the difference is all ones where the number stays. Writes past the end are lost.
      bits[at] = kept & ((below - (x >>> 8)) >> 31);
      bits[at + stride] = kept & ((below - (y >>> 8)) >> 31);
      bits[at + 2 * stride] = kept & ((below - (z >>> 8)) >> 31);
      bits[at + 3 * stride] = kept & ((below - (w >>> 8)) >> 31);
    }
  }
}
