/** Lists of seeds as people write them. */
import { UserError } from "../errors.ts";

const MAX_COUNT = 1_000_000;

/**
 * Reads `0,3,10-20`: numbers and ranges, both ends included.
 * @param option names it in the message
 * @throws {UserError} when a part is neither, a range runs backwards, or there are over a million
 */
export function parseNumberList(text: string, option: string): number[] {
  const numbers: number[] = [];
  for (const part of text.split(",")) {
    const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || last < first || last > 0xffff_ffff) {
      throw new UserError(
        `Cannot read ${option} ${text}: "${part}" is neither a number nor a range; expected numbers ` +
          "from 0 to 4294967295, as in 0,3,10-20",
      );
    }
    if (numbers.length + last - first >= MAX_COUNT) {
      throw new UserError(`Cannot read ${option} ${text}: that is over ${MAX_COUNT} numbers`);
    }
    for (let number = first; number <= last; number++) numbers.push(number);
  }
  return numbers;
}
