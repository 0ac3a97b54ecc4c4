/** Whether a runtime computes what the trainer did: the manifest's seeds and their first values. */
import { UserError } from "../errors.ts";
import type { SelfTest } from "../manifest.ts";
import type { Sample } from "./sample.ts";

/**
 * Compares samples with a self-test's values.
 * @param samples one for each of the test's seeds
 * @returns the largest |difference|, as a share of its column's scale where columns have any
 * @throws {UserError} if it exceeds the test's tolerance
 */
export function compareSelfTest(samples: readonly Sample[], test: SelfTest, name: string): number {
  return compareFirstValues(Array.from(samples, ({ values }) => values), test, name);
}

/**
 * Compares values with a self-test's.
 * @param found of each of the test's seeds
 * @returns the largest |difference|
 * @throws {UserError} if it exceeds the test's tolerance
 */
export function compareFirstValues(
  found: readonly ArrayLike<number>[],
  test: Pick<SelfTest, "seeds" | "values" | "tolerance" | "scales">,
  name: string,
): number {
  let worst = 0;
  let message = "";
  found.forEach((values, i) => {
    test.values[i].forEach((expected, k) => {
      const difference = Math.abs(values[k] - expected) / (test.scales?.[k] ?? 1);
      if (difference <= worst) return; // false for NaN, which so fails below
      worst = Number.isNaN(difference) ? Infinity : difference;
      message = `value ${k} of seed ${test.seeds[i]} is ${values[k]}, expected ${expected}`;
    });
  });
  if (worst <= test.tolerance) return worst;
  throw new UserError(
    `Cannot trust ${name} on this device: its self-test fails, as ${message} ` +
      `(difference ${worst}, tolerance ${test.tolerance})`,
  );
}
