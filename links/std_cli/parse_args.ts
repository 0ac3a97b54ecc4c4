/**
 * `parseArgs` of `jsr:@std/cli`, for the options that ganforge uses, over `node:util`, so that the tasks
 * run where the JSR registry cannot be reached. `deno unlink` swaps in the real package.
 */
import { parseArgs as nodeParseArgs } from "node:util";

/** The options of {@linkcode parseArgs} that are supported here; the names are @std/cli's. */
export interface ParseOptions {
  /** Options that are true when present; `--no-NAME` gives false for those in `negatable`. */
  boolean?: readonly string[];
  /** Options that take a value; `"_"` keeps positional arguments as text. */
  string?: readonly string[];
  /** Options that may be given several times; each must be in `string` too. */
  collect?: readonly string[];
  /** Boolean options that understand `--no-NAME`. */
  negatable?: readonly string[];
  /** Short names: `{ h: "help" }`. */
  alias?: Record<string, string>;
  /** Values for options that are absent. */
  default?: Record<string, unknown>;
  /** Called for each argument that is not declared; returning false drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The parsed options, and under `_` the positional arguments. */
export interface Args {
  // deno-lint-ignore no-explicit-any
  [name: string]: any;
  /** The positional arguments. */
  _: Array<string | number>;
}

/** Parses command-line arguments as @std/cli does. */
export function parseArgs(args: string[], options: ParseOptions = {}): Args {
  const booleans = new Set(options.boolean ?? []);
  const strings = new Set(options.string ?? []);
  const collect = new Set(options.collect ?? []);
  const negatable = new Set(options.negatable ?? []);
  const aliases = options.alias ?? {};
  const aliasNames = Object.entries(aliases).flat();
  const declared = new Set([...booleans, ...strings, ...aliasNames]);
  declared.delete("_"); // `string: ["_"]` keeps positional arguments as text, which they are here anyway
  const result: Args = { _: [] };
  for (const name of booleans) result[name] = false;
  for (const name of collect) result[name] = [];
  Object.assign(result, options.default ?? {});

  const { tokens } = nodeParseArgs({
    args,
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      [...declared].map((name) =>
        [name, { type: strings.has(name) ? "string" : "boolean" }] as const
      ),
    ),
  });
  const set = (name: string, value: unknown) => {
    for (const key of [name, ...Object.keys(aliases).filter((short) => aliases[short] === name)]) {
      if (collect.has(name)) {
        if (!Array.isArray(result[key])) result[key] = [];
        result[key].push(value);
      } else result[key] = value;
    }
  };
  for (const token of tokens) {
    if (token.kind === "positional") {
      if (options.unknown?.(token.value) === false) continue;
      result._.push(token.value);
      continue;
    }
    if (token.kind !== "option") continue;
    const name = aliases[token.name] ?? token.name;
    if (name.startsWith("no-") && negatable.has(name.slice(3)) && token.value === undefined) {
      set(name.slice(3), false);
    } else if (booleans.has(name)) {
      set(name, token.value === undefined ? true : token.value !== "false");
    } else if (strings.has(name)) {
      set(name, token.value ?? "");
    } else {
      const value = token.value ?? true;
      if (options.unknown?.(token.rawName, token.name, value) === false) continue;
      result[token.name] = value;
    }
  }
  return result;
}
