/** Images and their captions as the data of a model: the inputs `image` and `words`, some of them held back. */
import { UserError } from "../../errors.ts";
import { sha256 } from "../../hash.ts";
import { formatInteger } from "../../text.ts";
import { captionWords, type Vocabulary } from "../../vocabulary.ts";
import { type CaptionContext, type ModelData, modelData } from "../model_data.ts";
import { selectSamples } from "../selection.ts";
import { completeSource, type DataSource } from "../source.ts";
import { countCaptions } from "./build_vocabulary.ts";

/** Images with captions, before they are joined. */
export interface CaptionedSource {
  /** The images. */
  image: DataSource;
  /** Place of the image that each caption belongs to. */
  images: Uint32Array;
  /** The captions. */
  texts: readonly string[];
  /** Numbers of captions that are not trained on. */
  heldBack: Uint32Array;
}

/** How captions are joined to images. */
export interface CaptionDataOptions {
  /** Words of the vocabulary at most. Default 2,000. */
  maxWords?: number;
  /** A short name. */
  name: string;
  /** See `CaptionContext`. */
  attributes?: CaptionContext["attributes"];
}

/** Every byte stands for itself. */
const COUNTS = Float32Array.from({ length: 256 }, (_, value) => value);

/**
 * The data of `captionsModel()`: a sample is an image with one of its captions. The vocabulary has the words of
 * the captions that are trained on.
 * @throws {UserError} when no caption is left to train on
 */
export function captionData(
  { image, images, texts, heldBack }: CaptionedSource,
  { maxWords, name, attributes }: CaptionDataOptions,
): ModelData {
  const isApart = new Uint8Array(texts.length);
  for (const caption of heldBack) isApart[caption] = 1;
  const trained = Uint32Array.from(texts.keys()).filter((caption) => !isApart[caption]);
  const { vocabulary, counts, kept, notes } = countCaptions(
    Array.from(trained, (caption) => texts[caption]),
    { maxWords },
  );
  if (kept.length === 0) {
    throw new UserError(`Cannot train on ${image.description}: no caption is left`);
  }
  const captions = kept.map((place) => trained[place]);
  const words = countSource(counts, vocabulary);
  const known = knownCaptions(heldBack, { texts, vocabulary });
  const selected = (from: Uint32Array) =>
    selectSamples(image, from.map((caption) => images[caption]));
  const data = modelData({ image: selected(captions), words }, { name });
  const besides = known.length > 0 ? `, and ${formatInteger(known.length)} held back` : "";
  return {
    ...data,
    description: `${formatInteger(captions.length)} captions${besides}; ${image.description}`,
    notes: [...image.notes ?? [], ...notes],
    captions: {
      vocabulary,
      ...(attributes ? { attributes } : {}),
      trained: {
        image: selected(captions),
        texts: Array.from(captions, (caption) => texts[caption]),
      },
      ...(known.length > 0
        ? {
          heldBack: {
            image: selected(known),
            texts: Array.from(known, (caption) => texts[caption]),
          },
        }
        : {}),
    },
  };
}

/** The captions whose words are all known, so that a model can be asked for them. */
function knownCaptions(
  captions: Uint32Array,
  { texts, vocabulary }: { texts: readonly string[]; vocabulary: Vocabulary },
): Uint32Array {
  const known = new Set(vocabulary.words);
  return captions.filter((caption) => {
    const said = captionWords(texts[caption]);
    return said.length <= vocabulary.maxLength && said.every((word) => known.has(word));
  });
}

/** Counts of words, kept as bytes. @param counts `[captions, words]` */
function countSource(counts: Uint8Array<ArrayBuffer>, { words }: Vocabulary): DataSource {
  const size = words.length;
  return completeSource({
    name: "captions",
    kind: "points",
    shape: [size],
    sampleSize: size,
    count: counts.length / size,
    description: `${formatInteger(size)} words`,
    valueRange: [0, 255],
    fingerprint: sha256(`words ${words.join("\n")}\n`, counts),
    stored: {
      rows: counts,
      rowSize: size,
      byteValues: COUNTS,
      rowsPerSample: 1,
      rowsOf: (indices) => indices,
    },
  }, (out, sample, index) => {
    out.set(counts.subarray(index * size, (index + 1) * size), sample * size);
  });
}
