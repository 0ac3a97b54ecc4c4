/**
 * The functions of `jsr:@std/assert` that ganforge's tests use, over `node:assert/strict`, so that the
 * tests run where the JSR registry cannot be reached. Same names and signatures: `deno unlink` swaps
 * in the real package.
 */
import strict from "node:assert/strict";

/** What a failed assertion throws. */
export class AssertionError extends Error {
  /** @param message what was expected and what was found */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

function rethrow(check: () => void, msg?: string): void {
  try {
    check();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new AssertionError(msg ? `${msg}: ${detail}` : detail);
  }
}

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg || "The value is not truthy");
}

/** Asserts deep equality. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  rethrow(() => strict.deepStrictEqual(actual, expected), msg);
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  rethrow(() => strict.notDeepStrictEqual(actual, expected), msg);
}

/** Asserts identity (`Object.is`). */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  rethrow(() => strict.strictEqual(actual, expected), msg);
}

/** Asserts `|actual - expected| <= tolerance`; the default tolerance is 1e-7 relative to `expected`. */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? (isFinite(expected) ? Math.abs(expected * 1e-7) : 0);
  const delta = Math.abs(expected - actual);
  if (delta <= allowed) return;
  const detail =
    `Expected ${actual} to be within ${allowed} of ${expected}: the difference is ${delta}`;
  throw new AssertionError(msg ? `${detail}: ${msg}` : detail);
}

/** Asserts that `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (actual.includes(expected)) return;
  const detail = `Expected "${actual}" to contain "${expected}"`;
  throw new AssertionError(msg ? `${detail}: ${msg}` : detail);
}

/** Asserts that `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (expected.test(actual)) return;
  const detail = `Expected "${actual}" to match ${expected}`;
  throw new AssertionError(msg ? `${detail}: ${msg}` : detail);
}

/** Asserts that `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (actual >= expected) return;
  const detail = `Expected ${actual} >= ${expected}`;
  throw new AssertionError(msg ? `${detail}: ${msg}` : detail);
}

/** Asserts that `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  const detail = `Expected ${actual} > ${expected}`;
  throw new AssertionError(msg ? `${detail}: ${msg}` : detail);
}

/** Asserts that `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  const detail = `Expected ${actual} < ${expected}`;
  throw new AssertionError(msg ? `${detail}: ${msg}` : detail);
}

/** Asserts that `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (actual <= expected) return;
  const detail = `Expected ${actual} <= ${expected}`;
  throw new AssertionError(msg ? `${detail}: ${msg}` : detail);
}

// deno-lint-ignore no-explicit-any
type ErrorClass<E> = abstract new (...args: any[]) => E;

function checkError<E extends Error>(
  error: unknown,
  ErrorClass?: ErrorClass<E>,
  msgIncludes?: string,
): E {
  if (!(error instanceof Error)) {
    throw new AssertionError("A non-Error object was thrown or rejected");
  }
  if (ErrorClass && !(error instanceof ErrorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${ErrorClass.name}", but was "${error.constructor.name}": ${error.message}`,
    );
  }
  if (msgIncludes && !error.message.includes(msgIncludes)) {
    throw new AssertionError(
      `Expected error message to include "${msgIncludes}", but got "${error.message}"`,
    );
  }
  return error as E;
}

/** Asserts that `fn` throws an `ErrorClass` whose message includes `msgIncludes`; returns the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass?: ErrorClass<E>,
  msgIncludes?: string,
): E {
  let thrown: unknown;
  try {
    fn();
  } catch (error) {
    thrown = error;
  }
  if (thrown === undefined) throw new AssertionError("Expected function to throw");
  return checkError(thrown, ErrorClass, msgIncludes);
}

/** Asserts that `fn` rejects with an `ErrorClass` whose message includes `msgIncludes`; returns the error. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass?: ErrorClass<E>,
  msgIncludes?: string,
): Promise<E> {
  let thrown: unknown;
  try {
    await fn();
  } catch (error) {
    thrown = error;
  }
  if (thrown === undefined) throw new AssertionError("Expected function to reject");
  return checkError(thrown, ErrorClass, msgIncludes);
}
