/** Options that say what a file of another program does not: shared by tasks that sample from a file. */
import { UserError } from "../src/errors.ts";
import type { Assumptions } from "../src/sampler/mod.ts";
import type { OptionSpec, ParsedCommand } from "./command_types.ts";

/** For a task's `options`. */
export const ASSUMPTION_OPTIONS: Record<string, OptionSpec> = {
  layout: { value: "nchw|nhwc", help: "another program's file: channels first or last in images" },
  range: { value: "LOW,HIGH", help: "another program's file: the values of black and white" },
  shape: { value: "A,B,C", help: "another program's file: one sample's shape, such as 28,28,1" },
  latent: { value: "NAME", help: "another program's file: the latent's input" },
  distribution: {
    value: "normal|uniform|unit",
    help: "another program's file: where latents come from (default normal)",
  },
  "label-input": {
    value: "int|one-hot",
    help: "another program's file: how it takes the class (default int)",
  },
  feed: {
    value: "NAME=NUMBER",
    help: "a value for an input besides latent and label, such as truncation_psi=0.7",
    repeated: true,
  },
  output: { value: "NAME", help: "another program's file: the output to show" },
};

/**
 * Reads the options of {@linkcode ASSUMPTION_OPTIONS}.
 * @throws {UserError} where one is not what it takes
 */
export function readAssumptions(command: ParsedCommand): Assumptions {
  const layout = command.choice("layout", ["nchw", "nhwc", "NCHW", "NHWC"]);
  const range = numbers(command, "range");
  if (range !== undefined && !(range.length === 2 && range[0] < range[1])) {
    throw new UserError(`Cannot use --range ${command.text("range")}: expected LOW,HIGH like 0,1`);
  }
  const shape = numbers(command, "shape");
  if (shape?.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new UserError(`Cannot use --shape ${command.text("shape")}: expected sizes like 28,28,1`);
  }
  const feeds = command.list("feed").map((text): [string, number] => {
    const at = text.lastIndexOf("=");
    const value = Number(text.slice(at + 1));
    if (at > 0 && text.slice(at + 1).trim() !== "" && Number.isFinite(value)) {
      return [text.slice(0, at), value];
    }
    throw new UserError(`Cannot use --feed ${text}: expected NAME=NUMBER`);
  });
  return {
    layout: layout?.toUpperCase() as Assumptions["layout"],
    range: range as [number, number] | undefined,
    shape,
    latent: command.text("latent"),
    distribution: command.choice("distribution", ["normal", "uniform", "unit"]),
    label: command.choice("label-input", ["int", "one-hot"]),
    feeds: Object.fromEntries(feeds),
    output: command.text("output"),
  };
}

function numbers(command: ParsedCommand, name: string): number[] | undefined {
  const given = command.text(name);
  if (given === undefined) return undefined;
  const values = given.split(",").map((part) => part.trim() === "" ? NaN : Number(part));
  if (values.every(Number.isFinite)) return values;
  throw new UserError(`Cannot use --${name} ${given}: expected numbers with commas between them`);
}
