/** What is wrong with images, for a person: one error or note that names all files. */
import { UserError } from "../../errors.ts";
import { counted } from "../source.ts";
import type { KnownHeader } from "./check_images.ts";
import type { StoredFile } from "./image_store.ts";
import type { PixelSize } from "./resize.ts";

/** After this number of files that cannot be decoded, the others are not tried. */
export const MAX_FAILURES = 20;

/** Without a size all images must have that of the first; those that are turned may have it turned. */
export function findOtherSizes(
  files: readonly StoredFile[],
  headers: readonly (KnownHeader | undefined)[],
): Map<number, UserError> {
  const faults = new Map<number, UserError>();
  const reference = headers.findIndex((header) => header !== undefined);
  if (reference < 0) return faults;
  const sides = ({ width, height }: KnownHeader) => [width, height].sort((a, b) => a - b).join();
  const expected = sides(headers[reference]!);
  for (const [index, header] of headers.entries()) {
    if (header === undefined || sides(header) === expected) continue;
    const names = { origin: files[index].origin, reference: files[reference] };
    faults.set(index, otherSize(header, headers[reference]!, names));
  }
  return faults;
}

/** Whether two images have the same sides. */
export function isSameSize(a: PixelSize, b: PixelSize): boolean {
  return a.width === b.width && a.height === b.height;
}

/** The error for an image of another size than the first. */
export function otherSize(
  found: PixelSize,
  expected: PixelSize,
  { origin, reference }: { origin: string; reference: StoredFile },
): UserError {
  return new UserError(
    `Cannot use ${origin}: it has ${found.width} x ${found.height} pixels, and ` +
      `${reference.origin} has ${expected.width} x ${expected.height}; --size HxW cuts and ` +
      `resizes all to one`,
  );
}

/** One error that names all files, with the first one's fault. */
export function combineFaults(
  failures: Map<number, UserError>,
  files: readonly StoredFile[],
): UserError {
  const indices = [...failures.keys()].sort((a, b) => a - b);
  const first = failures.get(indices[0])!;
  const isUnread = [...failures.values()].some(({ message }) => message.startsWith("Cannot read"));
  const them = indices.length === 1 ? "it" : "them";
  const skip = isUnread ? `; --broken skip trains without ${them}` : "";
  if (indices.length === 1) return new UserError(`${first.message}${skip}`, { cause: first });
  const names = indices.slice(1, MAX_FAILURES).map((index) => files[index].path).join(", ");
  const more = indices.length > MAX_FAILURES ? ` and ${indices.length - MAX_FAILURES} more` : "";
  return new UserError(
    `${first.message}; ${indices.length} of ${counted(files.length)} files cannot be used, also ` +
      `${names}${more}${skip}`,
    { cause: first },
  );
}

/** The line that names what was left out. */
export function skippedNote(
  failures: Map<number, UserError>,
  files: readonly StoredFile[],
): string {
  const names = [...failures.keys()].sort((a, b) => a - b).map((index) => files[index].path);
  const shown = names.slice(0, MAX_FAILURES).join(", ");
  const more = names.length > MAX_FAILURES ? ` and ${names.length - MAX_FAILURES} more` : "";
  return names.length === 1
    ? `1 file is left out, because it cannot be read: ${shown}`
    : `${counted(names.length)} files are left out, because they cannot be read: ${shown}${more}`;
}
