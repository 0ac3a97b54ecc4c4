/**
 * Folders that divide a data set rather than name classes: `train/cats` and `test/cats`, or
 * `cats/train` and `cats/test`. Only one split is trained on.
 */
import { UserError } from "../../errors.ts";
import { sharedFolder, type StoredFile } from "../stores/file_store.ts";
import { counted } from "../source.ts";

/** Which part of a data set. */
export type Split = "train" | "test";

const SPLIT_OF: Readonly<Record<string, Split | "validation">> = {
  train: "train",
  training: "train",
  trainset: "train",
  test: "test",
  testing: "test",
  testset: "test",
  val: "validation",
  valid: "validation",
  validation: "validation",
};

/** The split that a word of a file's or folder's name stands for. */
export function splitOfWord(word: string): Split | "validation" | undefined {
  const key = word.toLowerCase();
  return Object.hasOwn(SPLIT_OF, key) ? SPLIT_OF[key] : undefined;
}

/**
 * The files of one split, where folders right below the one that all share, or those below these, are
 * all named as splits and there are several; else all files.
 * @returns the files, and a line that says what was chosen
 * @throws {UserError} when the split that is asked for is not there
 */
export function chooseSplit(
  files: readonly StoredFile[],
  { split, origin }: { split?: Split; origin: string },
): { files: StoredFile[]; note?: string } {
  const start = sharedFolder(files.map(({ path }) => path)).split("/").length - 1;
  for (const level of [start, start + 1]) {
    const splits = files.map(({ path }) => {
      const parts = path.split("/");
      return level < parts.length - 1 ? splitOfWord(parts[level]) : undefined;
    });
    const found = [...new Set(splits)];
    if (found.length < 2 || found.includes(undefined)) continue;
    const wanted = split ?? (found.includes("train") ? "train" : "test");
    const chosen = found.includes(wanted) || wanted === "train" ? wanted : "validation";
    const counts = found.map((name) =>
      `${counted(splits.filter((s) => s === name).length)} ${name}`
    );
    if (!found.includes(chosen)) {
      throw new UserError(
        `Cannot find the ${wanted} split in ${origin}: its folders hold ${
          counts.join(", ")
        } images`,
      );
    }
    return {
      files: files.filter((_, i) => splits[i] === chosen),
      note: `took the ${chosen} split: the folders hold ${
        counts.join(", ")
      } images (data.split chooses)`,
    };
  }
  return { files: [...files] };
}
