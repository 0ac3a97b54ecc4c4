/** Which files of a folder or an archive are of side A and which of side B, to train on and held back. */
import { UserError } from "../../errors.ts";
import { splitOfWord } from "../images/split_folders.ts";
import type { StoredFile } from "../stores/file_store.ts";

/** A side of pairs or sets. */
export type Side = "A" | "B";

/** The files of both sides of one part. */
export type SidedFiles = Record<Side, StoredFile[]>;

/** Files by what is done with them. */
export interface SplitSides {
  train: SidedFiles;
  /** From folders called test (or val, where there are none), if there are any. */
  test?: SidedFiles;
}

const SIDE = /^(?:(train|test|val|valid|validation)[-_]?)?([AB])$/i;

/**
 * Sorts files by folders called `A` and `B`, `trainA` and `trainB`, or with `train` and `test` above or below.
 * @returns undefined where there are no such folders
 */
export function splitSides(files: readonly StoredFile[]): SplitSides | undefined {
  const parts: Record<string, SidedFiles> = {};
  for (const file of files) {
    const folders = file.path.split("/").slice(0, -1);
    const place = folders.findIndex((folder) => SIDE.test(folder));
    if (place < 0) continue;
    const [, prefix, letter] = SIDE.exec(folders[place])!;
    const others = [...folders.slice(0, place), ...folders.slice(place + 1)];
    const words = [...(prefix === undefined ? [] : [prefix]), ...others];
    const split = words.map(splitOfWord).find((found) => found !== undefined) ?? "train";
    parts[split] ??= { A: [], B: [] };
    parts[split][letter.toUpperCase() as Side].push(file);
  }
  const hasBoth = (part: SidedFiles | undefined) => part && part.A.length > 0 && part.B.length > 0;
  const { train, test, validation } = parts;
  if (!Object.values(parts).some(({ A, B }) => A.length > 0 && B.length > 0)) {
    return undefined;
  }
  if (!hasBoth(train)) return undefined;
  const held = hasBoth(test) ? test : hasBoth(validation) ? validation : undefined;
  return { train, ...(held ? { test: held } : {}) };
}

/**
 * Brings both sides into the same order by the names of their files, without their endings.
 * @throws {UserError} when a file has no partner
 */
export function pairFiles({ A, B }: SidedFiles, origin: string): SidedFiles {
  const [a, b] = [A, B].map((files) => new Map(files.map((file) => [pairName(file.path), file])));
  const alone = [
    ...[...a.keys()].filter((name) => !b.has(name)).map((name) => a.get(name)!.path),
    ...[...b.keys()].filter((name) => !a.has(name)).map((name) => b.get(name)!.path),
  ];
  if (alone.length > 0) {
    const [first] = alone;
    const other = a.has(pairName(first)) ? "B" : "A";
    const more = alone.length > 1 ? `, nor have ${alone.length - 1} others` : "";
    throw new UserError(
      `Cannot pair the images of ${origin}: ${first} has no partner called ` +
        `${pairName(first)} in ${other}${more}; both folders need files of the same names`,
    );
  }
  const names = [...a.keys()].sort();
  return {
    A: names.map((name) => a.get(name)!),
    B: names.map((name) => b.get(name)!),
  };
}

/** What both files of a pair are called: the path below the side's folder, without the ending. */
function pairName(path: string): string {
  const parts = path.split("/");
  const place = parts.findIndex((folder) => SIDE.test(folder));
  return parts.slice(place + 1).filter((part, i, all) =>
    i === all.length - 1 || splitOfWord(part) === undefined
  ).join("/").replace(/(?:[-_][AB])?\.[^.]+$/i, "");
}
