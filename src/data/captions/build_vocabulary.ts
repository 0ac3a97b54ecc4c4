/** From captions to the vocabulary of a model, and to counts of its words. */
import { formatInteger } from "../../text.ts";
import { captionWords, type Vocabulary } from "../../vocabulary.ts";

/** A vocabulary, the captions in it, and what was left out. */
export interface CaptionCounts {
  vocabulary: Vocabulary;
  /** `[captions, words]` how often each word occurs. */
  counts: Uint8Array<ArrayBuffer>;
  /** Captions of which at least one word is known; `counts` has these only. */
  kept: Uint32Array;
  /** One line each. */
  notes: string[];
}

/** Words of a vocabulary at most, where the user says nothing else. */
const DEFAULT_MAX_WORDS = 2000;

/**
 * Chooses the words: all, or the most frequent ones.
 * @param captions each with at least one word
 */
export function countCaptions(
  captions: readonly string[],
  { maxWords = DEFAULT_MAX_WORDS }: { maxWords?: number } = {},
): CaptionCounts {
  const said = captions.map(captionWords);
  const totals = new Map<string, number>();
  for (const word of said.flat()) totals.set(word, (totals.get(word) ?? 0) + 1);
  const byFrequency = [...totals].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const words = byFrequency.slice(0, maxWords).map(([word]) => word).sort();
  const places = new Map(words.map((word, place) => [word, place]));
  const known = said.map((caption) => caption.filter((word) => places.has(word)));
  const kept = Uint32Array.from(known.keys()).filter((caption) => known[caption].length > 0);
  const counts = new Uint8Array(kept.length * words.length);
  for (const [row, caption] of kept.entries()) {
    for (const word of known[caption]) {
      const at = row * words.length + places.get(word)!;
      counts[at] = Math.min(255, counts[at] + 1);
    }
  }
  const maxLength = known.reduce((longest, caption) => Math.max(longest, caption.length), 0);
  const left = byFrequency.length - words.length;
  const notes = [
    left > 0
      ? `vocabulary: the ${formatInteger(words.length)} most frequent of ${
        formatInteger(byFrequency.length)
      } words, the rarest of which occurs ${
        formatInteger(byFrequency[words.length - 1][1])
      } times; captions have up to ${maxLength} of them`
      : `vocabulary: ${formatInteger(words.length)} words; captions have up to ${maxLength}`,
  ];
  const lost = captions.length - kept.length;
  if (lost > 0) {
    notes.push(`left out ${formatInteger(lost)} captions, which have none of these words`);
  }
  return { vocabulary: { words, maxLength }, counts, kept, notes };
}
