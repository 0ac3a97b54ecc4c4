/** Synthetic digits with captions, such as "thick slanted red seven": images that words describe. */
import { fillUniform, STREAMS } from "../../random/counter_random.ts";
import { writeMixed } from "./digit_variants.ts";
import { drawDigit } from "./draw_digits.ts";

const DIGITS = [
  "zero",
  "one",
  "two",
  "three",
  "four",
  "five",
  "six",
  "seven",
  "eight",
  "nine",
];

const COLORS: Readonly<Record<string, readonly number[]>> = {
  red: [230, 50, 40],
  green: [40, 190, 70],
  blue: [60, 90, 250],
  yellow: [240, 220, 50],
  white: [245, 245, 245],
};

const THICKNESS: Readonly<Record<string, number>> = { thin: 0.05, thick: 0.95 };
const SLANT: Readonly<Record<string, number>> = { upright: 0, slanted: 0.45 };

/** The attributes that a caption names, and their words. */
export const DIGIT_ATTRIBUTES = [
  { name: "thickness", words: Object.keys(THICKNESS) },
  { name: "slant", words: Object.keys(SLANT) },
  { name: "color", words: Object.keys(COLORS) },
  { name: "digit", words: DIGITS },
] as const;

const PAPER = [16, 16, 16];

/** Streams of the choices, apart from those that draw the strokes. */
const CHOICES = STREAMS.data + 1;

/** Images and their captions. */
export interface CaptionedImages {
  /** `[count, size, size, 3]` */
  pixels: Uint8Array;
  /** `[count]` four words each: thickness, slant, color, digit. */
  captions: string[];
  /** `[count]` the digit. */
  labels: Int32Array;
}

/** Draws captioned digits; image `i` depends on the seed and `i` alone. */
export function drawCaptionedDigits(
  { count, size, seed }: { count: number; size: number; seed: number },
): CaptionedImages {
  const pixels = new Uint8Array(count * size * size * 3);
  const labels = new Int32Array(count);
  const gray = new Uint8Array(size * size);
  const captions = Array.from({ length: count }, (_, index) => {
    const draws = fillUniform(new Float32Array(4), { seed, stream: CHOICES, step: index });
    const pick = (words: readonly string[], draw: number) => words[Math.floor(draw * words.length)];
    const thickness = pick(Object.keys(THICKNESS), draws[0]);
    const slant = pick(Object.keys(SLANT), draws[1]);
    const color = pick(Object.keys(COLORS), draws[2]);
    labels[index] = Math.floor(draws[3] * DIGITS.length);
    drawDigit(gray, labels[index], {
      seed,
      index,
      size,
      style: { thickness: THICKNESS[thickness], slant: SLANT[slant] },
    });
    const image = pixels.subarray(index * size * size * 3, (index + 1) * size * size * 3);
    for (const [at, value] of gray.entries()) {
      writeMixed(image.subarray(3 * at), {
        ink: COLORS[color],
        paper: PAPER,
        share: value / 255,
      });
    }
    return `${thickness} ${slant} ${color} ${DIGITS[labels[index]]}`;
  });
  return { pixels, captions, labels };
}
