/**
 * Stacked digits: three random digits as the red, green and blue of one image, the test for lost modes
 * with 1000 of them (Metz et al. 2017). Images are put together as a batch is filled, so that their
 * number costs no memory.
 */
import { sha256 } from "../hash.ts";
import { UserError } from "../errors.ts";
import { fillUniform, STREAMS } from "../random/counter_random.ts";
import { completeSource, counted, type DataSource, type StoredSamples } from "./source.ts";

/** Where the choice of digits is drawn; synthetic digits use the steps from 0. */
const CHOICE_STEP = 0xffff_fff0;
const CHANNELS = 3;

/**
 * Stacks gray images of digits.
 * @param digits labeled 0 to 9, one channel
 * @returns `count` images of three channels; the class of digits a, b, c is `100 a + 10 b + c`
 * @throws {UserError} when the images are not gray digits with labels
 */
export function stackDigits(
  digits: DataSource,
  { count, seed }: { count: number; seed: number },
): DataSource {
  const { shape, labels, classNames, sampleSize } = digits;
  if (shape.length !== 3 || shape[2] !== 1 || !labels || classNames?.length !== 10) {
    const found = labels ? `${classNames?.length} classes` : "no labels";
    throw new UserError(
      `Cannot stack ${digits.name}: it takes gray images of ten classes, and these are ` +
        `[${shape.join(", ")}] with ${found}`,
    );
  }
  const draws = fillUniform(new Float32Array(CHANNELS * count), {
    seed,
    stream: STREAMS.data,
    step: CHOICE_STEP,
  });
  const chosen = Uint32Array.from(draws, (u) => Math.floor(u * digits.count));
  const stacked = Int32Array.from({ length: count }, (_, i) => {
    const [a, b, c] = [0, 1, 2].map((channel) => labels[chosen[CHANNELS * i + channel]]);
    return 100 * a + 10 * b + c;
  });
  const fingerprint = sha256(`stacked ${digits.fingerprint}`, new Uint8Array(chosen.buffer));
  const digit = new Float32Array(sampleSize);
  return completeSource(
    {
      name: `stacked-${digits.name}`,
      kind: "image",
      shape: [shape[0], shape[1], CHANNELS],
      sampleSize: CHANNELS * sampleSize,
      count,
      labels: stacked,
      classNames: Array.from({ length: 1000 }, (_, mode) => String(mode).padStart(3, "0")),
      description: `${counted(count)} images of three digits each, from ${digits.description}`,
      valueRange: [-1, 1],
      fingerprint,
      stored: digits.stored && stackRows(digits.stored, chosen),
      ...(digits.close ? { close: () => digits.close?.() } : {}),
    },
    (out, sample, index) => {
      for (let channel = 0; channel < CHANNELS; channel++) {
        digits.writeBatch(digit, chosen.subarray(CHANNELS * index + channel).subarray(0, 1));
        let to = sample * CHANNELS * sampleSize + channel;
        for (const value of digit) {
          out[to] = value;
          to += CHANNELS;
        }
      }
    },
  );
}

/**
 * Rows of digits, of which each image takes three.
 * @param chosen `[count, 3]` the digits of each image
 */
function stackRows(digits: StoredSamples, chosen: Uint32Array): StoredSamples | undefined {
  if (digits.rowsPerSample !== 1) return undefined;
  return {
    ...digits,
    rowsPerSample: CHANNELS,
    rowsOf(indices) {
      const picked = new Uint32Array(CHANNELS * indices.length);
      indices.forEach((index, i) =>
        picked.set(chosen.subarray(CHANNELS * index, CHANNELS * (index + 1)), CHANNELS * i)
      );
      return digits.rowsOf(picked);
    },
  };
}
