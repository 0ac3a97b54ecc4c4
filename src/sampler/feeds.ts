/** Values for the inputs besides latent and label, from what an app gives to what a run takes. */
import { UserError } from "../errors.ts";
import type { FeedValue } from "./assumptions.ts";
import type { FeedSpec } from "./generator_inputs.ts";

/** The options of {@linkcode fillFeeds}. */
export interface FeedOptions {
  /** Samples of the run. */
  count: number;
  /** What the app gives, by the input's name. */
  values: Readonly<Record<string, FeedValue>>;
  /**
   * The value of inputs that the app does not give, as in a self-test; 0 stands for it where elements
   * are whole numbers. Undefined: they are an error.
   */
  fallback?: number;
}

/**
 * Fills the inputs of a run.
 * @throws {UserError} where a value is missing, is no number, has the wrong length or no input
 */
export function fillFeeds(
  feeds: readonly FeedSpec[],
  { count, values, fallback }: FeedOptions,
): Map<string, Float32Array> {
  const known = feeds.map((feed) => feed.name);
  for (const name of Object.keys(values)) {
    if (known.includes(name)) continue;
    const others = known.length === 0 ? "it has no inputs to feed" : `it has ${known.join(", ")}`;
    throw new UserError(`Cannot feed the input ${JSON.stringify(name)}: ${others}`);
  }
  return new Map(feeds.map((feed) => {
    const { name, type, shape, hasBatch } = feed;
    const size = shape.reduce((product, length) => product * length, 1);
    const isWhole = !type.startsWith("float");
    const value = values[name] ?? (fallback === undefined || !isWhole ? fallback : 0);
    if (value === undefined) {
      throw new UserError(
        `Cannot sample without the input "${name}": give feeds: { ${
          JSON.stringify(name)
        }: ... }, one ` +
          `number or ${size}`,
      );
    }
    const elements = new Float32Array(hasBatch ? count * size : size);
    if (typeof value === "number") elements.fill(value);
    else if (value.length === elements.length) elements.set(value);
    else if (value.length === size) {
      for (let at = 0; at < elements.length; at += size) elements.set(value, at);
    } else {
      throw new UserError(
        `Cannot feed the input "${name}": it takes one number or ${size}, and it is given ${value.length}`,
      );
    }
    const wrong = elements.findIndex((element) => !Number.isFinite(element));
    if (wrong < 0) return [name, elements];
    throw new UserError(
      `Cannot feed the input "${name}": its element ${wrong} is not a finite number`,
    );
  }));
}
