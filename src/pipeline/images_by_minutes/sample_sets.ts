/**
 * What the recipes leave for the measuring: a folder for each recipe and seed, with samples as uint8 `.npy`
 * at each mark, and `marks.jsonl`, which says how long training had taken. bench/tutorial_images.py writes
 * the same.
 */
import { writeFileAtomically } from "../../files.ts";
import type { ImageRecipe } from "../../reproduction/image_recipes.ts";
import { readLines } from "../../run/json_lines.ts";

/** Samples of a run at one time. */
export interface SampleMark {
  /** The file's name in the run's folder. */
  file: string;
  /** Seconds of training, without drawing, saving, and what is compiled before the first step. */
  seconds: number;
  /** Updates of the generator. */
  steps: number;
  /** Real images seen. */
  images: number;
}

/** Where a recipe's run with a seed keeps its samples. */
export interface SampleSetFolder {
  recipe: ImageRecipe;
  seed: number;
  folder: string;
}

/** Images in memory, as bytes. */
interface Pixels {
  /** `[count, height, width, channels]` */
  shape: readonly number[];
  data: Uint8Array;
}

/** Writes images as NumPy's format 1.0 (NEP 1), uint8. */
export async function writeImagesNpy(path: string, { shape, data }: Pixels): Promise<void> {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64; // data start at a multiple of 64
  const header = new Uint8Array(length).fill(0x20);
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(header.buffer).setUint16(8, length - 10, true);
  header.set(new TextEncoder().encode(text), 10);
  header[length - 1] = 0x0a;
  await writeFileAtomically(path, [header, data]);
}

/** Writes a run's marks. */
export async function writeMarks(folder: string, marks: readonly SampleMark[]): Promise<void> {
  const text = marks.map((mark) => JSON.stringify(mark) + "\n").join("");
  await writeFileAtomically(`${folder}/marks.jsonl`, new TextEncoder().encode(text));
}

/**
 * Reads a run's marks; none where it has not come to the first.
 * @throws {UserError} when the file is damaged
 */
export async function readMarks(folder: string): Promise<SampleMark[]> {
  return await readLines<SampleMark>(`${folder}/marks.jsonl`, {
    parse: parseMark,
    fault: `is no mark of a run; remove ${folder} to train it again`,
  });
}

function parseMark(mark: Partial<SampleMark> | null): SampleMark | undefined {
  const isMark = typeof mark?.file === "string" && !/[\\/]/.test(mark.file) &&
    [mark.seconds, mark.steps, mark.images].every(Number.isFinite);
  return isMark ? mark as SampleMark : undefined;
}
