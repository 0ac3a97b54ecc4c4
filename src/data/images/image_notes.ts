/** What is odd about the images of a data set, in lines for a person. */
import { counted } from "../source.ts";
import type { KnownHeader } from "./check_images.ts";
import type { PixelSize } from "./resize.ts";

/** Below this share of an image's area, most of it is cut away. */
const MIN_KEPT_SHARE = 0.5;

/** What was found while images were decoded. */
export interface DecodingFacts {
  /** Images of 16 bits a sample. */
  deepCount: number;
  /** The largest value of these. */
  deepPeak: number;
  /** Whether the user said which values are black and white. */
  hasRange: boolean;
}

/** Says when images are enlarged, or lose most of their area. @param size that all are brought to */
export function sizeNotes(headers: readonly KnownHeader[], size: PixelSize): string[] {
  const notes: string[] = [];
  const total = headers.length;
  const small = headers.filter(({ width, height }) => {
    const scale = Math.max(size.width / width, size.height / height);
    const turned = Math.max(size.width / height, size.height / width);
    return Math.min(scale, turned) > 1;
  });
  if (small.length > 0) {
    const smallest = small.reduce((a, b) => a.width * a.height <= b.width * b.height ? a : b);
    notes.push(
      `${counted(small.length)} of ${counted(total)} images are enlarged to ${size.width} x ` +
        `${size.height} pixels: the smallest has ${smallest.width} x ${smallest.height}; ` +
        `a smaller size keeps to what is there`,
    );
  }
  const aspect = size.width / size.height;
  const kept = headers.map(({ width, height }) => {
    const ratio = aspect * height / width;
    return Math.min(ratio, 1 / ratio);
  });
  const mean = kept.reduce((sum, share) => sum + share, 0) / total;
  if (mean < MIN_KEPT_SHARE) {
    notes.push(
      `${Math.round(100 * (1 - mean))}% of the images' area is cut away, because ${size.width} x ` +
        `${size.height} has another aspect ratio than they have; --size HxW takes another`,
    );
  }
  return notes;
}

/** Says when 16-bit images use a small part of their depth. */
export function depthNotes({ deepCount, deepPeak, hasRange }: DecodingFacts): string[] {
  if (deepCount === 0 || hasRange || deepPeak >= 2 ** 14) return [];
  const bits = Math.max(1, Math.ceil(Math.log2(deepPeak + 1)));
  return [
    `${
      counted(deepCount)
    } images have 16 bits a sample and their largest value is ${deepPeak} of ` +
    `65535: they are nearly black; --set data.range=[0,${2 ** bits - 1}] makes ${bits} bits white`,
  ];
}
