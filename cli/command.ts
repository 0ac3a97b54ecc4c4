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
import type { CommandSpec, OptionSpec, ParsedCommand } from "./command_types.ts";
import { endRanks, leaveRanks, rankPrefix } from "./ranks.ts";

export type { CommandSpec, ParsedCommand };

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

/** The outcome of ranks other than 0, which print nothing. */
export const NO_JSON: Record<string, unknown> = {};

/** What a task ends with: its exit code, and what `--json` prints. */
export interface TaskOutcome {
  exitCode?: number;
  json?: Record<string, unknown>;
}

/** The exit codes of every task, for `--help`. */
const EXIT_CODES =
  "Exit codes: 0 done; 2 a mistake in the call or its data; 130 stopped by Ctrl-C; 1 anything else " +
  "(diverged, device lost, disk full, a failed download, a bug)";

/** A task of deno.json: what it takes, and what it does. */
export interface Task {
  spec: CommandSpec;
  main(command: ParsedCommand): Promise<TaskOutcome | void>;
}

/**
 * Runs a task and ends the process: 0 for success, 2 for a mistake in the call or its data, 1 for any
 * other failure, or the code that the task asks for. Failures that have a class of their own take one
 * line; others are bugs and keep their stack.
 * @param args the arguments on the command line
 */
export async function runTask(
  spec: CommandSpec,
  main: Task["main"],
  args: string[] = Deno.args,
): Promise<void> {
  let wantsJson = args.includes("--json");
  quietenVulkan();
  try {
    const command = parseCommand(spec, args);
    wantsJson = command.flag("json");
    if (command.flag("help")) {
      console.log(helpText(spec));
      Deno.exit(0);
    }
    enterCallerFolder(new URL("../", import.meta.url));
    const outcome = (await main(command)) ?? {};
    await leaveRanks(outcome.exitCode === 130);
    if (wantsJson && outcome.json !== NO_JSON) console.log(JSON.stringify(outcome.json ?? {}));
    Deno.exit(outcome.exitCode ?? 0);
  } catch (error) {
    const prefix = await rankPrefix();
    if (!(error instanceof GanforgeError)) {
      if (prefix) console.error(`error: ${prefix}${(error as Error)?.message ?? error}`);
      console.error(error);
      endRanks(1);
    }
    const isColored = Deno.stderr.isTerminal() && !Deno.noColor;
    const label = isColored ? "\x1b[31merror:\x1b[39m" : "error:";
    console.error(`${label} ${prefix}${error.message.replaceAll("\n", " ")}`);
    if (wantsJson) console.log(JSON.stringify({ error: prefix + error.message }));
    endRanks(error instanceof UserError ? 2 : 1);
  }
}
