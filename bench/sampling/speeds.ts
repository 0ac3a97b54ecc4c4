/** Samples a second on every engine. */
import { formatInteger } from "../../src/text.ts";
import { markdownTable } from "../../src/report/markdown.ts";
import { BATCHES, type SamplingCase } from "./cases.ts";
import { modelFile } from "./exports.ts";
import { median, type WebSpeed } from "./loop.ts";
import type { EngineName, Plan } from "./plan.ts";
import { denoScript, runMeasurement } from "../process.ts";

/** What a measurement prints; `onnx-node` and PyTorch have no sampler. */
interface Measurement {
  description: string;
  speeds: (Pick<WebSpeed, "batch" | "bareMs"> & Partial<WebSpeed>)[];
}

/** One engine on one generator, over all rounds. */
export interface MeasuredSpeed {
  name: SamplingCase;
  batch: number;
  engine: EngineName;
  threads: number;
  /** Milliseconds of a forward pass whose latents are ready. */
  bareMs: number;
  /** Milliseconds of `Sampler.sample`. */
  samplerMs?: number;
  /** By how much of its time the sampler is slower than a bare session: the median of all rounds. */
  overhead?: number;
}

/** All of them, and what is not there. */
export interface Speeds {
  speeds: MeasuredSpeed[];
  /** Engines in words. */
  engines: Partial<Record<EngineName, string>>;
  /** Why an engine could not be measured. */
  missing: Partial<Record<EngineName, string>>;
}

/** Measures alternately; says on stderr how far it is. */
export async function measureSpeeds(plan: Plan, folder: string): Promise<Speeds> {
  const engines: Speeds["engines"] = {};
  const missing: Speeds["missing"] = {};
  const found = new Map<string, Measurement["speeds"]>();
  const keyOf = (...parts: (string | number)[]) => parts.join(" ");
  for (let round = 1; round <= plan.rounds; round++) {
    console.error(`round ${round} of ${plan.rounds}`);
    for (const name of plan.cases) {
      for (const threads of plan.threads) {
        for (const engine of plan.engines) {
          if (engine in missing) continue;
          const result = await measure(plan, folder, { name, threads, engine });
          if (typeof result === "string") {
            missing[engine] = result;
            console.error(`${engine}: ${result}`);
            continue;
          }
          engines[engine] = result.description;
          for (const speed of result.speeds) {
            const key = keyOf(name, speed.batch, engine, threads);
            found.set(key, [...found.get(key) ?? [], speed]);
          }
        }
      }
    }
  }
  const speeds: MeasuredSpeed[] = [];
  for (const name of plan.cases) {
    for (const batch of BATCHES) {
      for (const engine of plan.engines.filter((engine) => !(engine in missing))) {
        for (const threads of plan.threads) {
          const rounds = found.get(keyOf(name, batch, engine, threads))!;
          speeds.push({ name, batch, engine, threads, ...overRounds(rounds) });
        }
      }
    }
  }
  return { speeds, engines, missing };
}

function overRounds(
  rounds: Measurement["speeds"],
): Pick<MeasuredSpeed, "bareMs" | "samplerMs" | "overhead"> {
  const bareMs = median(rounds.map(({ bareMs }) => bareMs));
  if (rounds[0].samplerMs === undefined) return { bareMs };
  return {
    bareMs,
    samplerMs: median(rounds.map(({ samplerMs }) => samplerMs!)),
    overhead: median(rounds.flatMap(({ ratios }) => ratios!)) - 1,
  };
}

function measure(
  plan: Plan,
  folder: string,
  { name, threads, engine }: Pick<MeasuredSpeed, "name" | "threads" | "engine">,
): Promise<Measurement | string> {
  const common = [`${threads}`, `${plan.seconds}`, BATCHES.join()];
  const seconds = 2 * plan.seconds * BATCHES.length;
  const model = modelFile(folder, name, "fp32");
  if (engine === "pytorch") {
    const script = new URL("../pytorch_sampling.py", import.meta.url).pathname;
    return runMeasurement(plan.python, [script, name, ...common], seconds);
  }
  const args = engine === "chromium"
    ? denoScript("sampling/measure_page.ts", ["--allow-all"], [plan.chromium, model, ...common])
    : denoScript("sampling/measure_speed.ts", [
      "--allow-read",
      "--allow-env",
      "--allow-sys",
      "--allow-ffi",
    ], [engine, model, ...common]);
  return runMeasurement(Deno.execPath(), args, seconds);
}

/** The table with what it means. */
export function speedTable(plan: Plan, { speeds, engines, missing }: Speeds): string {
  const columns = plan.cases.flatMap((name) => BATCHES.map((batch) => ({ name, batch })));
  const rows: string[][] = [];
  for (const engine of plan.engines) {
    const kinds = engine === "deno" || engine === "chromium"
      ? ["bareMs", "samplerMs"] as const
      : ["bareMs"] as const;
    for (const kind of kinds) {
      for (const threads of plan.threads) {
        const cells = columns.map((column) => {
          const at = (engine: EngineName) =>
            speeds.find((speed) =>
              speed.name === column.name && speed.batch === column.batch &&
              speed.engine === engine && speed.threads === threads
            );
          return engine in missing ? "not there" : speedCell(kind, at(engine)!, at("pytorch"));
        });
        rows.push([
          `${LABELS[engine][kind]}, ${threads} thread${threads > 1 ? "s" : ""}`,
          ...cells,
        ]);
      }
    }
  }
  const table = markdownTable(
    ["samples a second", ...columns.map(({ name, batch }) => `>${name}, batch ${batch}`)],
    rows,
  );
  const notes = plan.engines.map((engine) =>
    engine in missing ? `${engine}: not there: ${missing[engine]}` : `${engine}: ${engines[engine]}`
  );
  return `${table}

Median of alternating rounds (${plan.rounds}, ${plan.seconds} s each). In brackets: times PyTorch's speed with as
many threads; for Sampler also how much longer a call takes than the bare session's, which has its latents
ready. Float32, latents and images on the host, ${navigator.hardwareConcurrency} cores.

${notes.join("  \n")}`;
}

const LABELS: Record<EngineName, { bareMs: string; samplerMs: string }> = {
  "pytorch": { bareMs: "PyTorch", samplerMs: "" },
  "onnx-node": { bareMs: "onnxruntime-node", samplerMs: "" },
  "deno": { bareMs: "wasm in Deno, bare session", samplerMs: "wasm in Deno, Sampler" },
  "chromium": { bareMs: "wasm in Chromium, bare session", samplerMs: "wasm in Chromium, Sampler" },
};

function speedCell(
  kind: "bareMs" | "samplerMs",
  speed: MeasuredSpeed,
  peer: MeasuredSpeed | undefined,
): string {
  const ms = speed[kind]!;
  const details: string[] = [];
  if (peer !== undefined && peer !== speed) details.push((peer.bareMs / ms).toPrecision(2));
  if (kind === "samplerMs") {
    const percent = (100 * speed.overhead!).toFixed(1);
    details.push(`${percent.startsWith("-") ? "" : "+"}${percent}%`);
  }
  const rate = formatInteger(1000 * speed.batch / ms);
  return details.length ? `${rate} (${details.join(", ")})` : rate;
}
