/** The tests themselves, in a few processes, so that one room's trouble does not hide another's. */
import { type Outcome, PUBLIC_MODULES } from "./checks.ts";
import { runCommand } from "./process.ts";

/** What tests may do: files, sub-processes, and the loopback network; nothing outside the machine. */
const PERMISSIONS = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-ffi",
  "--allow-run",
  "--allow-net=127.0.0.1,localhost",
  "--no-prompt",
];

/** Modules with examples of their own besides the public faces. */
const DOCUMENTED = [
  "src/data/open.ts",
  "src/raster/grid.ts",
  "src/raster/png.ts",
  "src/sampler/sampler.ts",
];

/**
 * Runs the unit tests of each room, the end-to-end tests and the documentation's examples.
 * @param filter names of rooms; none means all
 * @param env environment variables for the tests
 */
export async function runTests(
  filter: string[],
  env: Record<string, string>,
): Promise<Outcome[]> {
  const rooms: string[] = [];
  for await (const entry of Deno.readDir("tests")) if (entry.isDirectory) rooms.push(entry.name);
  rooms.sort();
  const unknown = filter.filter((name) => name !== "doc" && !rooms.includes(name));
  if (unknown.length) {
    console.error(
      `error: There are no tests ${unknown.join(", ")}; there are ${rooms.join(", ")}, doc`,
    );
    Deno.exit(2);
  }
  const outcomes: Outcome[] = [];
  for (const room of rooms) {
    if (filter.length && !filter.includes(room)) continue;
    if (!(await hasTests(`tests/${room}`))) continue;
    outcomes.push(await runSuite(room, [`tests/${room}`], env));
  }
  if (filter.length === 0 || filter.includes("doc")) {
    outcomes.push(
      await runSuite("doc examples", [
        "--doc",
        ...PUBLIC_MODULES,
        ...DOCUMENTED,
        "README.md",
        "docs/training.md",
      ], env),
    );
  }
  return outcomes;
}

async function runSuite(
  name: string,
  args: string[],
  env: Record<string, string>,
): Promise<Outcome> {
  console.log(`\ndeno test ${args.join(" ")}`);
  const { code, output, seconds } = await runCommand(Deno.execPath(), [
    "test",
    "--no-check",
    ...PERMISSIONS,
    ...args,
  ], { env });
  const counts = /(\d+) passed[^|]*\| (\d+) failed(?:[^|]*\| (\d+) ignored)?/.exec(output);
  const [passed, failed, ignored] = (counts?.slice(1) ?? []).map((text) => Number(text ?? 0));
  if (counts === null) return { name, passed: 0, failed: 1, ignored: 0, seconds };
  return { name, passed, failed: code && !failed ? 1 : failed, ignored, seconds };
}

async function hasTests(folder: string): Promise<boolean> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory && await hasTests(`${folder}/${entry.name}`)) return true;
    if (entry.isFile && entry.name.endsWith("_test.ts")) return true;
  }
  return false;
}
