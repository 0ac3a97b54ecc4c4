/** The shapes of a target's inputs, with a name for each open axis. */
import { UserError } from "../errors.ts";
import { didYouMean } from "../config/nearest.ts";
import { defaultAxisName } from "../graph/open/axes.ts";
import type { InputDimension, InputShapes, InputSignature, ResolvedInput } from "./target.ts";

/**
 * Names the open axes.
 * @param shapes replace shapes of `inputs`
 * @throws {UserError} for a shape that is none, or one of an input that does not exist
 */
export function resolveInputs(
  inputs: Readonly<Record<string, InputSignature>>,
  shapes: InputShapes,
): Record<string, ResolvedInput> {
  const names = Object.keys(inputs);
  const unknown = Object.keys(shapes).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new UserError(
      `Cannot give input ${unknown} a shape: there is none${
        didYouMean(unknown, names)
      }; the inputs are ${names.join(", ") || "none"}`,
    );
  }
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype = "float32" }]) => {
      const given = shapes[name];
      if (given !== undefined) checkReplacement(name, shape, given);
      return [name, { shape: resolveShape(name, given ?? shape), dtype }];
    }),
  );
}

function checkReplacement(
  name: string,
  shape: readonly InputDimension[],
  given: readonly InputDimension[],
): void {
  const text = (dims: readonly InputDimension[]) =>
    `[${dims.map((dim) => dim ?? "any").join(", ")}]`;
  const fits = given.length === shape.length &&
    given.every((dim, axis) => typeof shape[axis] !== "number" || shape[axis] === dim);
  if (fits) return;
  throw new UserError(
    `Cannot give input ${name} the shape ${text(given)}: it has ${
      text(shape)
    }; only open axes can be given`,
  );
}

function resolveShape(name: string, shape: readonly InputDimension[]): (number | string)[] {
  return shape.map((dim, axis) => {
    if (dim === null) return defaultAxisName(axis, shape.length);
    const isName = typeof dim === "string" && /^[A-Za-z_]\w*$/.test(dim);
    if (isName || (typeof dim === "number" && Number.isInteger(dim) && dim > 0)) return dim;
    throw new UserError(
      `Cannot export with ${
        JSON.stringify(dim)
      } as dimension ${axis} of input ${name}: expected a ` +
        "positive integer, null for any length, or a name for any length",
    );
  });
}
