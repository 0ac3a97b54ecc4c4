/** What a task is called with, as it declares it and as it reads it. */

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
