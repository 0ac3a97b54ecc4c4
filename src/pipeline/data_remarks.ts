/** What a person should know of a data set before training on it: classes, copies, blank images, few samples. */
import { crc32 } from "node:zlib";
import type { DataSource } from "../data/source.ts";
import { formatInteger } from "../text.ts";

/** Samples that are looked at together. */
const CHUNK = 256;

/** Below this many images training needs help against overfitting. */
const FEW_IMAGES = 2000;

/** A class this many times as large as another one is odd. */
const IMBALANCE = 20;

/** What a look at every image finds. */
export interface SampleFacts {
  /** Groups of images that are the same in every pixel, as sample numbers. */
  copies: number[][];
  /** Images of one color. */
  blank: number[];
}

/** Looks at every image; points have neither copies nor blanks worth a word. */
export function inspectSamples(data: DataSource): SampleFacts {
  if (data.kind !== "image") return { copies: [], blank: [] };
  const [, , channels] = data.shape;
  const seen = new Map<number, number[]>();
  const blank: number[] = [];
  for (let first = 0; first < data.count; first += CHUNK) {
    const rows = samplesOf(data, rangeOf(first, Math.min(CHUNK, data.count - first)));
    for (let k = 0; first + k < Math.min(first + CHUNK, data.count); k++) {
      const row = rows.subarray(k * data.sampleSize, (k + 1) * data.sampleSize);
      if (isBlank(row, channels)) blank.push(first + k);
      const sum = crc32(new Uint8Array(row.buffer, row.byteOffset, row.byteLength));
      const known = seen.get(sum);
      if (known) known.push(first + k);
      else seen.set(sum, [first + k]);
    }
  }
  const copies: number[][] = [];
  for (const group of seen.values()) if (group.length > 1) copies.push(...sameIn(data, group));
  return { copies, blank };
}

function rangeOf(first: number, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => first + i);
}

/** Samples in the form that they are kept in, or as batches give them. */
function samplesOf(data: DataSource, indices: Uint32Array): Uint8Array | Float32Array {
  const { stored } = data;
  if (!stored || stored.rowsPerSample !== 1) return data.batch(indices).values;
  const { rows, rowSize } = stored;
  if ("count" in rows) return rows.read(indices);
  const isRun = indices.every((index, i) => index === indices[0] + i);
  if (isRun) return rows.subarray(indices[0] * rowSize, (indices[0] + indices.length) * rowSize);
  return data.batch(indices).values;
}

/** Splits samples of one checksum into groups that are equal value for value. */
function sameIn(data: DataSource, group: number[]): number[][] {
  const sets: { values: Float32Array; members: number[] }[] = [];
  for (const index of group) {
    const { values } = data.batch(Uint32Array.of(index));
    const known = sets.find((set) => set.values.every((value, i) => value === values[i]));
    if (known) known.members.push(index);
    else sets.push({ values, members: [index] });
  }
  return sets.map(({ members }) => members).filter((members) => members.length > 1);
}

function isBlank(row: Uint8Array | Float32Array, channels: number): boolean {
  for (let i = channels; i < row.length; i++) if (row[i] !== row[i - channels]) return false;
  return true;
}

/** How many samples each class has, in the sequence of the classes. */
export function classCounts({ labels, classNames }: DataSource): { name: string; count: number }[] {
  if (!labels || !classNames) return [];
  const counts = new Uint32Array(classNames.length);
  for (const label of labels) counts[label]++;
  return classNames.map((name, label) => ({ name, count: counts[label] }));
}

/** Class names with counts in one line, the first ones of many. */
export function classText(data: DataSource): string | undefined {
  const counts = classCounts(data);
  if (counts.length === 0) return undefined;
  const shown = counts.slice(0, 12).map(({ name, count }) => `${name} ${formatInteger(count)}`);
  const more = counts.length > shown.length ? `, and ${counts.length - shown.length} more` : "";
  return `${shown.join(", ")}${more}`;
}

/** What is odd about the samples, in lines for a person. */
export function dataRemarks(data: DataSource, facts: SampleFacts): string[] {
  const remarks: string[] = [];
  const copied = facts.copies.reduce((sum, group) => sum + group.length - 1, 0);
  if (copied > 0) {
    remarks.push(
      `${formatInteger(copied)} of ${formatInteger(data.count)} images are exact copies of others`,
    );
  }
  if (facts.blank.length > 0) {
    const are = facts.blank.length === 1 ? "image is" : "images are";
    remarks.push(`${formatInteger(facts.blank.length)} ${are} blank: one color in every pixel`);
  }
  const counts = classCounts(data).filter(({ count }) => count > 0);
  if (counts.length > 1) {
    const largest = counts.reduce((a, b) => a.count >= b.count ? a : b);
    const smallest = counts.reduce((a, b) => a.count <= b.count ? a : b);
    if (largest.count >= IMBALANCE * smallest.count) {
      remarks.push(
        `classes differ much in size: ${largest.name} has ${
          formatInteger(largest.count)
        } samples, ` +
          `${smallest.name} ${
            formatInteger(smallest.count)
          }; a conditional generator learns little of small ones`,
      );
    }
  }
  const empty = classCounts(data).filter(({ count }) => count === 0).map(({ name }) => name);
  if (empty.length > 0 && empty.length < 20 && data.labels) {
    remarks.push(`no sample is of class ${empty.join(", ")}`);
  }
  if (data.kind === "image" && data.count < FEW_IMAGES) {
    remarks.push(
      `${
        formatInteger(data.count)
      } images are few: without augmentation the discriminator learns ` +
        `them by heart; --set 'augment.policies=["color","translation"]' helps, and a few thousand steps`,
    );
  }
  return remarks;
}
