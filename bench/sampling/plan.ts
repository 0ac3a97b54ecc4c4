/** What `deno task bench:sampling` can be asked for. */
import { UserError } from "../../src/errors.ts";
import type { CommandSpec, ParsedCommand } from "../../cli/command.ts";
import { SAMPLING_CASES, type SamplingCase } from "./cases.ts";

/** Where generators run. */
export const ENGINES = ["pytorch", "onnx-node", "deno", "chromium"] as const;

/** See {@linkcode ENGINES}. */
export type EngineName = typeof ENGINES[number];

/** What to measure, and how long. */
export interface Plan {
  cases: SamplingCase[];
  engines: EngineName[];
  threads: number[];
  rounds: number;
  seconds: number;
  python: string;
  chromium: string;
}

/** The options. */
export const spec: CommandSpec = {
  name: "bench:sampling",
  summary: "Measures exports and samples a second on every engine and in PyTorch, alternately.",
  positionals: "[CASE ...]",
  maxPositionals: SAMPLING_CASES.length,
  options: {
    engines: { value: "LIST", help: `of ${ENGINES.join(",")} (default: all)` },
    threads: { value: "LIST", help: "numbers of threads (default 1,2)" },
    rounds: { value: "N", help: "how often each is measured, alternately (default 3)" },
    seconds: { value: "S", help: "how long each measurement takes (default 0.3)" },
    python: { value: "PATH", help: "the Python that has torch (default /usr/bin/python3)" },
    chromium: { value: "PATH", help: "the browser (default: where systems put it)" },
  },
  examples: [
    "deno task bench:sampling",
    "deno task bench:sampling mnist-mlp --engines pytorch,deno --threads 1",
    `cases: ${SAMPLING_CASES.join(", ")}`,
  ],
};

/** @throws {UserError} for a case, an engine or a number that there is not */
export function readPlan(command: ParsedCommand): Plan {
  const threads = command.text("threads")?.split(",").map(Number) ?? [1, 2];
  if (!threads.every((count) => Number.isInteger(count) && count > 0)) {
    throw new UserError(
      `Cannot measure: --threads is ${command.text("threads")}, expected numbers such as 1,2`,
    );
  }
  return {
    cases: choose(command.positionals, SAMPLING_CASES, "cases"),
    engines: choose(command.text("engines")?.split(",") ?? [], ENGINES, "engines"),
    threads,
    rounds: command.integer("rounds", { min: 1, max: 100 }) ?? 3,
    seconds: command.number("seconds", { min: 0.01, max: 60 }) ?? 0.3,
    python: command.text("python") ?? "/usr/bin/python3",
    chromium: command.text("chromium") ?? findChromium(),
  };
}

/** What was asked for, in the order of `known`; nothing means all. */
function choose<Name extends string>(
  asked: readonly string[],
  known: readonly Name[],
  what: string,
): Name[] {
  const unknown = asked.find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new UserError(`Cannot measure ${unknown}: the ${what} are ${known.join(", ")}`);
  }
  return known.filter((name) => asked.length === 0 || asked.includes(name));
}

function findChromium(): string {
  const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const isThere = (path: string) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  };
  return places.find(isThere) ?? places[0];
}
