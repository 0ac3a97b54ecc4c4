/** The checks that are not tests: formatting, lint, types, documentation. Each counts as one. */
import { runCommand } from "./process.ts";
import type { TestTime } from "./slowest.ts";

/** What one part of `deno task test` gave. */
export interface Outcome {
  name: string;
  passed: number;
  failed: number;
  ignored: number;
  seconds: number;
  /** The tests of a second or more. */
  slow: TestTime[];
}

/** The public faces, whose documentation is checked. */
export const PUBLIC_MODULES = [
  "mod.ts",
  "src/sampler/mod.ts",
  "src/sampler/static.ts",
  "src/export/mod.ts",
];

const CHECKS: [name: string, args: string[]][] = [
  ["fmt", ["fmt", "--check"]],
  ["lint", ["lint"]],
  ["check", [
    "check",
    "mod.ts",
    "src",
    "tasks",
    "tests",
    "bench",
    "cli",
    "examples/deno_server.ts",
    "examples/deno_no_files.ts",
  ]],
  ["doc lint", ["doc", "--lint", ...PUBLIC_MODULES]],
  ["publish dry run", ["publish", "--dry-run", "--allow-dirty", "--no-check"]],
];

/** Runs all checks. */
export async function checkGroup(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [name, args] of CHECKS) {
    console.log(`deno ${args.join(" ")}`);
    const { code, seconds } = await runCommand(Deno.execPath(), args, { quiet: true });
    outcomes.push({
      name,
      passed: code ? 0 : 1,
      failed: code ? 1 : 0,
      ignored: 0,
      seconds,
      slow: [],
    });
  }
  return outcomes;
}
