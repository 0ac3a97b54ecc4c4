/** Data that the project makes for models of several networks: pairs of images of digits, and captions. */
import { type ModelData, modelData } from "../model_data.ts";
import { captionData } from "../captions/caption_data.ts";
import { randomSubset } from "../order.ts";
import { imageSource } from "../source.ts";
import { DIGIT_ATTRIBUTES, drawCaptionedDigits } from "./captioned_digits.ts";
import { colored, edgesOf } from "./digit_variants.ts";
import { drawDigit } from "./draw_digits.ts";

/** Which digits are made. */
export interface DigitModelOptions {
  /** How many samples. */
  count: number;
  /** Pixels of an image's side. Default 28. */
  size?: number;
  /** Another seed gives other digits. Default 0. */
  seed?: number;
}

const DEFAULT_SIZE = 28;

/**
 * Pairs of images: the input `a` is the edges of a digit and `b` the digit, or `a` is the gray digit and
 * `b` the same one thicker and in color (RGB both). Sample `i` shows the digit `i % 10`.
 * @param form which pairs
 * @param options.pairing `"apart"` hides which images belong together
 */
export function digitPairs(
  form: "edges" | "colored",
  options: DigitModelOptions & { pairing?: "together" | "apart" },
): ModelData {
  const { count, size = DEFAULT_SIZE, seed = 0, pairing } = options;
  const channels = form === "edges" ? 1 : 3;
  const [a, b] = [0, 1].map(() => new Uint8Array(count * size * size * channels));
  const pixels = new Uint8Array(size * size);
  for (let index = 0; index < count; index++) {
    drawDigit(pixels, index % 10, { seed, index, size });
    const start = index * size * size * channels;
    a.set(form === "edges" ? edgesOf({ pixels, size }) : repeated(pixels), start);
    b.set(form === "edges" ? pixels : colored({ pixels, size }), start);
  }
  const labels = Int32Array.from({ length: count }, (_, index) => index % 10);
  const about = { shape: [size, size, channels], labels };
  const what = `${count} synthetic digits (seed ${seed})`;
  const [of, to] = form === "edges" ? ["edges of", ""] : ["", "thick, colored "];
  return modelData({
    a: imageSource(a, { ...about, name: `digit-${form}`, description: `${of} ${what}`.trim() }),
    b: imageSource(b, { ...about, name: "digits", description: `${to}${what}` }),
  }, { pairing, name: `digit-${form}` });
}

/** Which captioned digits are made. */
export interface CaptionedDigitOptions extends DigitModelOptions {
  /**
   * The share of the captions, such as "thin upright blue two", of which no image is trained on. Default 0.
   */
  heldBack?: number;
}

/**
 * Digits with captions such as "thick slanted red seven", as the inputs `image` and `words` (how often each
 * word of the vocabulary occurs). `data.captions` has the vocabulary, the texts, and what is held back.
 */
export function captionedDigits(options: CaptionedDigitOptions): ModelData {
  const { count, size = DEFAULT_SIZE, seed = 0, heldBack = 0 } = options;
  const { pixels, captions, labels } = drawCaptionedDigits({ count, size, seed });
  const distinct = [...new Set(captions)].sort();
  const wanted = Math.round(heldBack * distinct.length);
  const apart = new Set(
    wanted === 0
      ? []
      : Array.from(randomSubset(distinct.length, { wanted, seed }), (i) => distinct[i]),
  );
  const all = Uint32Array.from(captions.keys());
  const image = imageSource(pixels, {
    name: "captioned-digits",
    description: `${count} synthetic digits with ${distinct.length} captions (seed ${seed})`,
    shape: [size, size, 3],
    labels,
  });
  const held = all.filter((caption) => apart.has(captions[caption]));
  return captionData({ image, images: all, texts: captions, heldBack: held }, {
    name: "captioned-digits",
    attributes: DIGIT_ATTRIBUTES,
  });
}

/** `[size, size] -> [size, size, 3]` */
function repeated(gray: Uint8Array): Uint8Array {
  const image = new Uint8Array(gray.length * 3);
  for (const [at, value] of gray.entries()) image.fill(value, 3 * at, 3 * at + 3);
  return image;
}
