/**
 * Captions as words: which words a caption has, which of them a model knows, and a caption as the counts of
 * these. Runs in browsers too, so that a sampler reads text as training did.
 */
import { UserError } from "./errors.ts";

/** The words that a model knows. */
export interface Vocabulary {
  /** In the order of the model's input. */
  words: string[];
  /** Words of the longest caption that was trained on. */
  maxLength: number;
}

/** A run of letters and digits, also with a hyphen or apostrophe within; signs of scripts without blanks by themselves. */
const WORD =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|[\p{L}\p{N}\p{M}]+(?:['’-][\p{L}\p{N}\p{M}]+)*/gu;

/** The words of a caption, in lower case and in their order. */
export function captionWords(caption: string): string[] {
  return caption.normalize("NFKC").toLowerCase().replaceAll("’", "'").match(WORD) ?? [];
}

/** The largest count of a word that a caption can say. */
const MAX_COUNT = 255;

/**
 * How often a caption has each word of a vocabulary.
 * @param caption such as "thick red seven"; upper and lower case are the same
 * @returns `[words]`
 * @throws {UserError} when it has no words, more than any caption of training, or one that is not known
 */
export function encodeCaption(caption: string, vocabulary: Vocabulary): Float32Array {
  const counts = new Float32Array(vocabulary.words.length);
  for (const token of captionTokens(caption, vocabulary)) {
    if (token > 0) counts[token - 1] = Math.min(MAX_COUNT, counts[token - 1] + 1);
  }
  return counts;
}

/**
 * A caption as the places of its words in a vocabulary, from 1, then 0 for no word: the input `tokens` of an
 * exported model.
 * @returns `[maxLength]`
 * @throws {UserError} as {@linkcode encodeCaption}
 */
export function captionTokens(caption: string, { words, maxLength }: Vocabulary): Int32Array {
  const said = captionWords(caption);
  const where = `Cannot use the text ${JSON.stringify(caption)}`;
  if (said.length === 0) throw new UserError(`${where}: it has no words`);
  if (said.length > maxLength) {
    throw new UserError(
      `${where}: it has ${said.length} words, and the longest caption of training has ${maxLength}`,
    );
  }
  const places = new Map(words.map((word, place) => [word, place + 1]));
  const tokens = new Int32Array(maxLength);
  for (const [index, word] of said.entries()) {
    const place = places.get(word);
    if (place === undefined) {
      throw new UserError(
        `${where}: the model does not know "${word}"${suggestion(word, words)}; it knows ` +
          `${words.length} words${words.length <= SHOWN_WORDS ? `: ${words.join(", ")}` : ""}`,
      );
    }
    tokens[index] = place;
  }
  return tokens;
}

/** A vocabulary of at most this many words is listed in messages. */
const SHOWN_WORDS = 30;

/** ` (did you mean X?)`, or nothing where no word is near. */
function suggestion(word: string, words: readonly string[]): string {
  const nearest = nearestWord(word, words);
  return nearest === undefined ? "" : ` (did you mean ${nearest}?)`;
}

/** The word that is nearest to one that is not known; undefined where none is near. Case does not count. */
export function nearestWord(word: string, words: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  let nearest: { word: string; edits: number } | undefined;
  for (const candidate of words) {
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (edits <= limit && (nearest === undefined || edits < nearest.edits)) {
      nearest = { word: candidate, edits };
    }
  }
  return nearest?.word;
}

/** Insertions, deletions and exchanges from one word to another (Wagner and Fischer 1974). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      next.push(Math.min(next[j] + 1, row[j + 1] + 1, row[j] + (letter === to[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[to.length];
}
