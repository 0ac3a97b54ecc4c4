/** Data that the project makes for models of several networks: pairs of images of digits, and captions. */
import { type ModelData, modelData } from "../model_data.ts";
import { floatSource, imageSource } from "../source.ts";
import { drawCaptionedDigits } from "./captioned_digits.ts";
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

/** A made data set of images with captions, and the words that these have. */
export interface CaptionData {
  /** The inputs `image` and `words`: how often each word of the vocabulary occurs, `[vocabulary]`. */
  data: ModelData;
  /** All words, in the order of the input `words`. */
  vocabulary: string[];
  /** Of each sample. */
  captions: string[];
}

/** Digits with captions such as "thick slanted red seven". */
export function captionedDigits(options: DigitModelOptions): CaptionData {
  const { count, size = DEFAULT_SIZE, seed = 0 } = options;
  const { pixels, captions, labels } = drawCaptionedDigits({ count, size, seed });
  const vocabulary = [...new Set(captions.flatMap((caption) => caption.split(" ")))].sort();
  const counts = new Float32Array(count * vocabulary.length);
  for (const [index, caption] of captions.entries()) {
    for (const word of caption.split(" ")) {
      counts[index * vocabulary.length + vocabulary.indexOf(word)]++;
    }
  }
  const what = `${count} captioned digits (seed ${seed})`;
  const data = modelData({
    image: imageSource(pixels, {
      name: "captioned-digits",
      description: what,
      shape: [size, size, 3],
      labels,
    }),
    words: floatSource(counts, {
      kind: "points",
      name: "captions",
      description: `${vocabulary.length} words`,
      shape: [vocabulary.length],
    }),
  }, { name: "captioned-digits" });
  return { data, vocabulary, captions };
}

/** `[size, size] -> [size, size, 3]` */
function repeated(gray: Uint8Array): Uint8Array {
  const image = new Uint8Array(gray.length * 3);
  for (const [at, value] of gray.entries()) image.fill(value, 3 * at, 3 * at + 3);
  return image;
}
