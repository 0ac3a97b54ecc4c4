/** From an array of labels to class numbers and names. */
import { UserError } from "../../errors.ts";
import { classNamesOf } from "../natural_order.ts";
import type { StoredFile } from "../stores/file_store.ts";
import { readElements, withNpy } from "./npy.ts";

/** Class numbers and names of samples. */
export interface ArrayLabels {
  /** `[N]` class numbers from 0. */
  labels: Int32Array;
  /** The name of each class. */
  classNames: string[];
}

/**
 * Reads labels: `[N]` or `[N, 1]` numbers or texts, or `[N, K]` of which one in each row is 1.
 * @param count how many there must be
 * @returns nothing for `[N, K]` with several ones in a row, which are no classes
 * @throws {UserError} when it is anything else
 */
export async function readArrayLabels(
  file: StoredFile,
  count: number,
): Promise<ArrayLabels | undefined> {
  return await withNpy(file, async (reader, header) => {
    const { shape } = header;
    const width = shape.slice(1).reduce((product, side) => product * side, 1);
    if (shape[0] !== count || shape.length > 2 || width === 0) {
      throw new UserError(
        `Cannot use ${file.origin} as labels of ${count} samples: its shape is (${
          shape.join(", ")
        })`,
      );
    }
    const elements = await readElements(reader, header);
    if (width > 1) return oneHot(elements, { count, width });
    if (elements instanceof Float64Array) {
      const odd = elements.findIndex((value) => !Number.isSafeInteger(value));
      if (odd >= 0) {
        throw new UserError(
          `Cannot use ${file.origin} as labels: label ${odd} is ${
            elements[odd]
          }, and classes are ` +
            `whole numbers or texts`,
        );
      }
    }
    const names = Array.from(elements, String);
    const classNames = classNamesOf(names);
    const numbers = new Map(classNames.map((name, label) => [name, label]));
    return { labels: Int32Array.from(names, (name) => numbers.get(name)!), classNames };
  });
}

function oneHot(
  elements: Float64Array | string[],
  { count, width }: { count: number; width: number },
): ArrayLabels | undefined {
  const labels = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const cells = elements.slice(row * width, (row + 1) * width);
    const found = cells.indexOf(1 as never);
    const others = (cells as (number | string)[]).filter((cell) => cell !== 0).length;
    if (found < 0 || others !== 1) return undefined;
    labels[row] = found;
  }
  return { labels, classNames: Array.from({ length: width }, (_, label) => String(label)) };
}
