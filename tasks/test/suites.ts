/**
 * The tests themselves, a process for each room, so that one room's trouble does not hide another's. Several
 * rooms run at once: much of a test, such as compiling a shader, uses one core.
 */
import { type Outcome, PUBLIC_MODULES } from "./checks.ts";
import { runCommand } from "./process.ts";
import { testTimes } from "./slowest.ts";

/**
 * Processes at once: one more than two cores, as the end-to-end tests wait for half of their time, for
 * the disk and for the processes that they start.
 */
const PROCESSES = Math.min(3, navigator.hardwareConcurrency + 1);

/** What takes longest starts first, so that no core idles at the end. */
const LONGEST_FIRST = [
  "e2e 2",
  "e2e 1",
  "apps",
  "engine/webgpu",
  "distributed",
  "sampler",
  "referees",
  "training",
  "doc examples",
  "engine",
  "library",
  "export",
  "data",
  "pipeline",
];

/**
 * Most tests start ONNX Runtime for a few steps of tiny networks: with V8's own budget, optimizing its
 * WebAssembly takes a third of their CPU time. A hundred times that budget still optimizes what computes for long.
 */
const V8_FLAGS = "--wasm-tiering-budget=1300000000";

/** One process of tests. */
interface Suite {
  name: string;
  args: string[];
}

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
  const suites: Suite[] = [];
  for (const room of rooms) {
    if (filter.length && !filter.includes(room)) continue;
    if (await hasTests(`tests/${room}`)) suites.push(...await suitesOf(room));
  }
  if (filter.length === 0 || filter.includes("doc")) {
    const files = [...PUBLIC_MODULES, ...DOCUMENTED, "README.md", "docs/training.md"];
    suites.push({ name: "doc examples", args: ["--doc", ...files] });
  }
  return await runAll(suites, env);
}

/** Two rooms take so long that each is two processes: the engines, whose WebGPU part is one, and e2e. */
async function suitesOf(room: string): Promise<Suite[]> {
  if (room === "engine") {
    return [
      { name: "engine", args: ["--ignore=tests/engine/webgpu", "tests/engine"] },
      { name: "engine/webgpu", args: ["tests/engine/webgpu"] },
    ];
  }
  const folder = `tests/${room}`;
  if (room !== "e2e") return [{ name: room, args: [folder] }];
  const files = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => `${folder}/${name}`))
    .filter((path) => path.endsWith("_test.ts")).sort();
  return [1, 2].map((part) => ({
    name: `e2e ${part}`,
    args: files.filter((_, index) => index % 2 === part - 1),
  }));
}

/** Runs suites, some at once. @returns the outcomes in the order of the suites */
async function runAll(suites: Suite[], env: Record<string, string>): Promise<Outcome[]> {
  const rank = ({ name }: Suite) =>
    LONGEST_FIRST.includes(name) ? LONGEST_FIRST.indexOf(name) : LONGEST_FIRST.length;
  const waiting = suites.toSorted((a, b) => rank(a) - rank(b));
  const outcomes = new Map<Suite, Outcome>();
  async function work(): Promise<void> {
    for (let suite = waiting.shift(); suite; suite = waiting.shift()) {
      outcomes.set(suite, await runSuite(suite, env));
    }
  }
  await Promise.all(Array.from({ length: PROCESSES }, work));
  return suites.map((suite) => outcomes.get(suite)!);
}

async function runSuite(
  { name, args }: Suite,
  env: Record<string, string>,
): Promise<Outcome> {
  console.log(`deno test ${args.join(" ")}`);
  const { code, output, seconds } = await runCommand(
    Deno.execPath(),
    ["test", "--no-check", ...PERMISSIONS, ...args],
    { env: { DENO_V8_FLAGS: V8_FLAGS, ...env }, prefix: `${name} | ` },
  );
  const slow = testTimes(output);
  const counts = /(\d+) passed[^|]*\| (\d+) failed(?:[^|]*\| (\d+) ignored)?/.exec(output);
  const [passed, failed, ignored] = (counts?.slice(1) ?? []).map((text) => Number(text ?? 0));
  if (counts === null) return { name, passed: 0, failed: 1, ignored: 0, seconds, slow };
  return { name, passed, failed: code && !failed ? 1 : failed, ignored, seconds, slow };
}

async function hasTests(folder: string): Promise<boolean> {
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isDirectory && await hasTests(`${folder}/${entry.name}`)) return true;
    if (entry.isFile && entry.name.endsWith("_test.ts")) return true;
  }
  return false;
}
