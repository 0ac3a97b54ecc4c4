/**
 * What all tasks have in common: options that are declared once and serve the parser and `--help`,
 * unknown ones refused with the nearest name, a user's mistake in one line with exit code 2, and one
 * JSON line last for `--json`.
 */
import { parseArgs } from "@std/cli/parse-args";
import { didYouMean } from "../src/config/nearest.ts";
import { GanforgeError, UserError } from "../src/errors.ts";
import { withSlashes } from "../src/files.ts";
import { enterCallerFolder } from "./caller_folder.ts";

/** One option of a task. */
export interface OptionSpec {
  /** What `--help` says. */
  help: string;
  /** The placeholder of its value, such as `PATH`; without it the option is a switch. */
  value?: string;
  /** Whether it may be given several times. */
  repeated?: boolean;
  /** A one-letter name. */
  short?: string;
  /** Whether its value is a path, in which Windows' backslashes become slashes. */
  path?: boolean;
}

/** A task: what it is called with. */
export interface CommandSpec {
  /** `train`, as in `deno task train`. */
  name: string;
  /** What it does, one sentence. */
  summary: string;
  /** The positional arguments as `--help` shows them, such as `[PRESET | CONFIG.json]`. */
  positionals: string;
  /** The largest number of positional arguments. */
  maxPositionals: number;
  /** Examples for `--help`, each a command line with a comment. */
  examples?: string[];
  /** Lines after the examples in `--help`. */
  notes?: string[];
  options: Record<string, OptionSpec>;
}

/** What the user gave. */
export interface ParsedCommand {
  /** Names and paths, in which Windows' backslashes became slashes. */
  positionals: string[];
  /** The value of an option that takes one; undefined when it was not given. */
  text(name: string): string | undefined;
  /** All values of a repeated option. */
  list(name: string): string[];
  /** Whether a switch was given. */
  flag(name: string): boolean;
  /** An option that must be a whole number in a range. */
  integer(name: string, range?: { min?: number; max?: number }): number | undefined;
  /** An option that must be a number in a range. */
  number(name: string, range?: { min?: number; max?: number }): number | undefined;
  /** An option that must be one of a few words. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined;
}

const COMMON: Record<string, OptionSpec> = {
  help: { help: "show this help", short: "h" },
  json: { help: "print one JSON line last" },
};

/**
 * Parses a task's arguments.
 * @param platform.os whose paths they hold; by default, this machine's
 * @throws {UserError} for an unknown option, a missing value or too many arguments
 */
export function parseCommand(
  spec: CommandSpec,
  args: string[],
  platform: { os?: string } = {},
): ParsedCommand {
  const options: Record<string, OptionSpec> = { ...spec.options, ...COMMON };
  const names = Object.keys(options);
  const withValue = names.filter((name) => options[name].value !== undefined);
  const parsed = parseArgs(args, {
    string: ["_", ...withValue],
    boolean: names.filter((name) => options[name].value === undefined),
    collect: names.filter((name) => options[name].repeated),
    alias: Object.fromEntries(
      names.filter((name) => options[name].short).map((name) => [options[name].short!, name]),
    ),
    unknown: (arg, key) => {
      if (key === undefined) return true;
      const known = names.map((name) => `--${name}`);
      throw new UserError(
        `Cannot run ${spec.name}: there is no option ${arg.split("=")[0]}${
          didYouMean(`--${key}`, known)
        }; see deno task ${spec.name} --help`,
      );
    },
  });
  for (const name of withValue) {
    const values = [parsed[name]].flat();
    if (values.includes("")) {
      throw new UserError(
        `Cannot run ${spec.name}: --${name} needs a value, ${options[name].value}`,
      );
    }
    if (options[name].repeated) continue;
    const count = args.filter((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`)).length;
    if (count > 1) {
      throw new UserError(`Cannot run ${spec.name}: --${name} is given ${count} times`);
    }
  }
  const positionals = parsed._.map((given) => withSlashes(String(given), platform));
  if (positionals.length > spec.maxPositionals) {
    throw new UserError(
      `Cannot run ${spec.name}: ${positionals.length} arguments are given (${
        positionals.join(" ")
      }), and it takes at most ${spec.maxPositionals}; see deno task ${spec.name} --help`,
    );
  }
  for (const name of names.filter((name) => options[name].path)) {
    if (parsed[name] !== undefined) parsed[name] = withSlashes(String(parsed[name]), platform);
  }
  return accessors(spec, parsed, positionals);
}

function accessors(
  spec: CommandSpec,
  parsed: Record<string, unknown>,
  positionals: string[],
): ParsedCommand {
  const text = (name: string) => parsed[name] as string | undefined;
  const number = (
    name: string,
    { min = -Infinity, max = Infinity }: { min?: number; max?: number } = {},
    kind = "a number",
    isKind: (value: number) => boolean = Number.isFinite,
  ): number | undefined => {
    const given = text(name);
    if (given === undefined) return undefined;
    const value = Number(given);
    if (given.trim() === "" || !isKind(value) || value < min || value > max) {
      const range = min === -Infinity && max === Infinity
        ? ""
        : max === Infinity
        ? ` of at least ${min}`
        : ` from ${min} to ${max}`;
      throw new UserError(
        `Cannot run ${spec.name}: --${name} is ${given}, expected ${kind}${range}`,
      );
    }
    return value;
  };
  return {
    positionals,
    text,
    list: (name) => (parsed[name] as string[] | undefined) ?? [],
    flag: (name) => parsed[name] === true,
    number: (name, range) => number(name, range),
    integer: (name, range) => number(name, range, "a whole number", Number.isSafeInteger),
    choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
      const given = text(name);
      if (given === undefined || choices.includes(given as T)) return given as T | undefined;
      throw new UserError(
        `Cannot run ${spec.name}: --${name} is ${given}${didYouMean(given, choices)}, expected ${
          choices.join(", ")
        }`,
      );
    },
  };
}

/** The text of `--help`. */
export function helpText(spec: CommandSpec): string {
  const rows = Object.entries({ ...spec.options, ...COMMON }).map(([name, option]) => {
    const short = option.short ? `-${option.short}, ` : "";
    const value = option.value ? ` ${option.value}` : "";
    return [`  ${short}--${name}${value}`, option.help];
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  const lines = [
    spec.summary,
    "",
    `  deno task ${spec.name} ${spec.positionals}`.trimEnd() + " [options]",
    "",
    ...rows.map(([left, right]) => left.padEnd(width) + right),
  ];
  if (spec.examples?.length) {
    lines.push(
      "",
      "Examples:",
      ...spec.examples.map((line) => `  ${line}`),
    );
  }
  lines.push("", ...(spec.notes ?? []), EXIT_CODES);
  return lines.join("\n");
}

/** Mesa's Vulkan driver complains on a machine without a desktop session; it needs no folder from us. */
function quietenVulkan(): void {
  const name = "XDG_RUNTIME_DIR";
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  if (state === "granted" && Deno.env.get(name) === undefined) Deno.env.set(name, "/");
}

/** What a task ends with: its exit code, and what `--json` prints. */
export interface TaskOutcome {
  exitCode?: number;
  json?: Record<string, unknown>;
}

/** The exit codes of every task, for `--help`. */
const EXIT_CODES =
  "Exit codes: 0 done; 2 a mistake in the call or its data; 130 stopped by Ctrl-C; 1 anything else " +
  "(diverged, device lost, disk full, a failed download, a bug)";

/**
 * Runs a task and ends the process: 0 for success, 2 for a mistake in the call or its data, 1 for any
 * other failure, or the code that the task asks for. Failures that have a class of their own take one
 * line; others are bugs and keep their stack.
 */
export async function runTask(
  spec: CommandSpec,
  main: (command: ParsedCommand) => Promise<TaskOutcome | void>,
): Promise<void> {
  let wantsJson = Deno.args.includes("--json");
  quietenVulkan();
  try {
    const command = parseCommand(spec, Deno.args);
    wantsJson = command.flag("json");
    if (command.flag("help")) {
      console.log(helpText(spec));
      Deno.exit(0);
    }
    enterCallerFolder(new URL("../", import.meta.url));
    const outcome = (await main(command)) ?? {};
    if (wantsJson) console.log(JSON.stringify(outcome.json ?? {}));
    Deno.exit(outcome.exitCode ?? 0);
  } catch (error) {
    if (!(error instanceof GanforgeError)) {
      console.error(error);
      Deno.exit(1);
    }
    const isColored = Deno.stderr.isTerminal() && !Deno.noColor;
    const label = isColored ? "\x1b[31merror:\x1b[39m" : "error:";
    console.error(`${label} ${error.message.replaceAll("\n", " ")}`);
    if (wantsJson) console.log(JSON.stringify({ error: error.message }));
    Deno.exit(error instanceof UserError ? 2 : 1);
  }
}
