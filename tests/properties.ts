/**
 * How property tests choose their cases: half of them from a seed that stays, so that what once failed is
 * tried again, and half from a seed that is new in each run, so that the tests go on searching. The new
 * seed is printed, and GANFORGE_TEST_SEED repeats it.
 */
import fc from "fast-check";

const VARIABLE = "GANFORGE_TEST_SEED";
/** The seed that stays, where a test names none. */
const FIXED_SEED = 1;
/** fast-check's own default. */
const DEFAULT_RUNS = 100;

let freshSeed: number | undefined;

/** The seed of this process, which is printed when it is first asked for. */
export function freshTestSeed(): number {
  if (freshSeed === undefined) {
    freshSeed = readSeed() ?? crypto.getRandomValues(new Int32Array(1))[0];
    console.log(`property tests: fresh seed ${freshSeed}; ${VARIABLE}=${freshSeed} repeats it`);
  }
  return freshSeed;
}

function readSeed(): number | undefined {
  const text = Deno.env.get(VARIABLE);
  if (text === undefined) return undefined;
  const seed = Number(text);
  if (Number.isInteger(seed) && (seed | 0) === seed) return seed;
  throw new RangeError(`Cannot run the tests with ${VARIABLE}=${text}: it takes a 32-bit integer`);
}

/**
 * Checks a property on half of the cases with a fixed seed, and on half with the fresh one.
 * @param parameters `seed` is the fixed one; `numRuns` counts all cases, 100 by default
 * @throws {Error} with the smallest case that fails, and its seed
 */
export function checkProperty<Values>(
  property: fc.IAsyncProperty<Values>,
  parameters?: fc.Parameters<Values>,
): Promise<void>;
export function checkProperty<Values>(
  property: fc.IProperty<Values>,
  parameters?: fc.Parameters<Values>,
): void;
export function checkProperty<Values>(
  property: fc.IProperty<Values> | fc.IAsyncProperty<Values>,
  parameters: fc.Parameters<Values> = {},
): Promise<void> | void {
  const { seed = FIXED_SEED, numRuns = DEFAULT_RUNS } = parameters;
  const fixed = { ...parameters, seed, numRuns: Math.ceil(numRuns / 2) };
  const fresh = { ...parameters, seed: freshTestSeed(), numRuns: Math.floor(numRuns / 2) };
  if (property.isAsync()) {
    return (async () => {
      await fc.assert(property as fc.IAsyncProperty<Values>, fixed);
      await fc.assert(property as fc.IAsyncProperty<Values>, fresh);
    })();
  }
  fc.assert(property as fc.IProperty<Values>, fixed);
  fc.assert(property as fc.IProperty<Values>, fresh);
}
