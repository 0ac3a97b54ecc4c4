/**
 * `deno task bench`: milliseconds of a training step on each engine and in PyTorch, alternately in one run
 * on one machine, as one table with ratios.
 */
import { UserError } from "../src/errors.ts";
import { measuredEnvironment } from "../src/reproduction/measured_environment.ts";
import { denoScript, runMeasurement } from "./process.ts";
import { MODEL_CASES } from "./model_cases.ts";
import { STEP_CASES } from "./step_cases.ts";
import { type CommandSpec, type ParsedCommand, runTask, type TaskOutcome } from "../cli/command.ts";

/** What is measured: a GAN's step, or that of a model of several networks. */
type MeasuredCase = Pick<typeof STEP_CASES[number], "name" | "batch">;

const CASES: readonly MeasuredCase[] = [...STEP_CASES, ...MODEL_CASES];

const ENGINES = ["pytorch", "onnx-node", "onnx-web", "webgpu", "tfjs-webgpu", "tfjs-cpu"] as const;
type EngineName = typeof ENGINES[number];

/** A step that takes longer is measured in one round only. */
const SLOW_MS = 2000;
/** The longest that one measurement takes with its compilation; one that hangs ends some time after it. */
const SLOWEST_S = 600;

const PYTORCH = new URL("pytorch_steps.py", import.meta.url).pathname;
const PERMISSIONS = ["--allow-read", "--allow-env", "--allow-sys", "--allow-ffi"];

const spec: CommandSpec = {
  name: "bench",
  summary:
    "Measures a training step on every engine and in PyTorch, alternately, and prints one table.",
  positionals: "[CASE ...]",
  maxPositionals: 10,
  options: {
    engines: { value: "LIST", help: `of ${ENGINES.join(",")} (default: all but tfjs-cpu)` },
    batch: { value: "N", help: "only cases of this batch size" },
    rounds: {
      value: "N",
      help: "how often each is measured, alternately (default 3; once where a step takes over 2 s)",
    },
    seconds: { value: "S", help: "how long each measurement takes (default 3)" },
    python: { value: "PATH", help: "the Python that has torch (default /usr/bin/python3)" },
  },
  examples: [
    "deno task bench",
    "deno task bench mnist-mlp --engines pytorch,onnx-web",
    `cases: ${[...new Set(CASES.map(({ name }) => name))].join(", ")}`,
  ],
};

if (import.meta.main) await runTask(spec, main);

/** One measurement; undefined fields where the engine is not there. */
interface Measured {
  description: string;
  msPerStep: number;
  /** Only of captured WebGPU steps. */
  dispatches?: number;
  hostMicroseconds?: number;
}

async function main(command: ParsedCommand): Promise<TaskOutcome> {
  const cases = chooseCases(command);
  const engines = chooseEngines(command.text("engines"));
  const rounds = command.integer("rounds", { min: 1, max: 100 }) ?? 3;
  const seconds = command.number("seconds", { min: 0.1, max: 600 }) ?? 3;
  const python = command.text("python") ?? "/usr/bin/python3";
  const { unset } = measuredEnvironment();
  if (unset.length) console.error(`Left out of the environment: ${unset.join(", ")}`);
  const rates = new Map<EngineName, string>();
  const descriptions = new Map<EngineName, string>();
  const absent = new Map<EngineName, string>();
  const rows: Record<string, string>[] = [];
  for (const item of cases) {
    const times = new Map<EngineName, number[]>();
    const missing = new Map<EngineName, string>();
    let host = "";
    for (let round = 0; round < rounds; round++) {
      for (const engine of engines) {
        if (missing.has(engine) || (times.get(engine)?.[0] ?? 0) > SLOW_MS) continue;
        const result = await measure(item, engine, { seconds, python });
        if (typeof result === "string") {
          missing.set(engine, result);
          absent.set(engine, result);
          console.error(`${item.name} ${item.batch} ${engine}: ${result}`);
          continue;
        }
        if (!rates.has(engine)) rates.set(engine, await matmulRate(engine));
        descriptions.set(engine, result.description + rates.get(engine));
        times.set(engine, [...(times.get(engine) ?? []), result.msPerStep]);
        const { dispatches, hostMicroseconds } = result;
        if (hostMicroseconds !== undefined) host = `${hostMicroseconds.toFixed(2)} (${dispatches})`;
      }
    }
    rows.push(tableRow(item, { engines, times, host }));
    console.error(Object.values(rows.at(-1)!).join(" | "));
  }
  printTable(rows);
  console.log("");
  for (const [engine, description] of descriptions) console.log(`${engine}: ${description}`);
  for (const [engine, reason] of absent) console.log(`${engine}: not measured: ${reason}`);
  console.log(
    `Median of ${rounds} alternating rounds, ${seconds} s each; in brackets the time over PyTorch's. ` +
      `Steps of more than ${SLOW_MS / 1000} s were measured once.`,
  );
  return { json: { rows, engines: Object.fromEntries(descriptions) } };
}

function chooseCases(command: ParsedCommand): MeasuredCase[] {
  const names = command.positionals;
  const batch = command.integer("batch", { min: 1 });
  const unknown = names.find((name) => !CASES.some((item) => item.name === name));
  const known = [...new Set(CASES.map(({ name }) => name))].join(", ");
  if (unknown) throw new UserError(`Cannot measure ${unknown}: the cases are ${known}`);
  const chosen = CASES.filter((item) =>
    (!names.length || names.includes(item.name)) && (batch === undefined || item.batch === batch)
  );
  if (!chosen.length) throw new UserError(`Cannot measure: no case has a batch of ${batch}`);
  return chosen;
}

function chooseEngines(list: string | undefined): EngineName[] {
  if (list === undefined) return ENGINES.filter((name) => name !== "tfjs-cpu");
  return list.split(",").map((name) => {
    if (ENGINES.includes(name as EngineName)) return name as EngineName;
    throw new UserError(`Cannot measure on ${name}: the engines are ${ENGINES.join(", ")}`);
  });
}

/** @returns what was measured, or why it could not be */
function measure(
  item: MeasuredCase,
  engine: EngineName,
  { seconds, python }: { seconds: number; python: string },
): Promise<Measured | string> {
  const args = [item.name, String(item.batch)];
  return engine === "pytorch"
    ? runMeasurement(python, [PYTORCH, ...args, String(seconds)], SLOWEST_S)
    : runMeasurement(
      Deno.execPath(),
      denoScript("measure_step.ts", PERMISSIONS, [...args, engine, String(seconds)]),
      SLOWEST_S,
    );
}

/** How fast an engine of ours multiplies, for the line that describes it; PyTorch's says it itself. */
async function matmulRate(engine: EngineName): Promise<string> {
  if (engine !== "onnx-web" && engine !== "onnx-node" && engine !== "webgpu") return "";
  const result = await runMeasurement<{ gflops: number }>(
    Deno.execPath(),
    denoScript("measure_matmul.ts", PERMISSIONS, [engine]),
    SLOWEST_S,
  );
  if (typeof result === "string") return `; products of 1024 x 1024 not measured: ${result}`;
  return `; products of 1024 x 1024 at ${result.gflops.toFixed(0)} GFLOP/s`;
}

function tableRow(
  item: MeasuredCase,
  { engines, times, host }: {
    engines: EngineName[];
    times: Map<EngineName, number[]>;
    /** What a dispatch costs the host, and how many a step has. */
    host: string;
  },
): Record<string, string> {
  const peer = median(times.get("pytorch"));
  const row: Record<string, string> = { step: `${item.name}, batch ${item.batch}` };
  for (const engine of engines) {
    const ms = median(times.get(engine));
    const ratio = ms !== undefined && peer !== undefined && engine !== "pytorch"
      ? ` (${(ms / peer).toPrecision(2)})`
      : "";
    row[engine] = ms === undefined ? "" : `${ms.toPrecision(3)}${ratio}`;
  }
  if (!engines.includes("webgpu")) return row;
  const [captured, stock] = [median(times.get("webgpu")), median(times.get("tfjs-webgpu"))];
  if (engines.includes("tfjs-webgpu")) {
    row["webgpu / tfjs-webgpu"] = captured && stock ? `1/${(stock / captured).toPrecision(2)}` : "";
  }
  row["host us a dispatch"] = host;
  return row;
}

function median(values: number[] | undefined): number | undefined {
  if (!values?.length) return undefined;
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function printTable(rows: Record<string, string>[]): void {
  const names = Object.keys(rows[0]);
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => row[name].length)));
  const line = (cells: string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  console.log(line(names.map((name) => name === "step" ? "ms a step" : name)));
  console.log(`| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`);
  for (const row of rows) console.log(line(names.map((name) => row[name])));
}
