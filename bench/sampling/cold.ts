/** From nothing to the first image in Deno, and what the time is made of. */
import { markdownTable } from "../../src/report/markdown.ts";
import type { SamplingCase } from "./cases.ts";
import { modelFile } from "./exports.ts";
import { median } from "./loop.ts";
import type { Plan } from "./plan.ts";
import { denoScript, runMeasurement } from "../process.ts";

/** Milliseconds of each stage, in order, and of what they add up to. */
export interface ColdStages {
  denoStarts: number;
  samplerImported: number;
  runtimeImported: number;
  modelParsed: number;
  runtimeStarted: number;
  imageDrawn: number;
  pngWritten: number;
  /** From the import of the sampler to the PNG. */
  loadAndImage: number;
  /** From the start of the process to its end. */
  process: number;
  /** Of {@linkcode runtimeStarted}: what is left of it in a second load. */
  session: number;
}

/** One generator with one number of threads. */
export interface MeasuredCold extends ColdStages {
  name: SamplingCase;
  threads: number;
}

const LABELS: Record<keyof ColdStages, string> = {
  denoStarts: "Deno starts",
  samplerImported: "import of the sampler",
  runtimeImported: "import of onnxruntime-web",
  modelParsed: "file read and understood",
  runtimeStarted: "runtime started, session made",
  imageDrawn: "first image drawn",
  pngWritten: "PNG written",
  loadAndImage: "**imports, Sampler.load and one image**",
  process: "whole process, to its end",
  session: "(session alone, in a second load)",
};

/** What `measure_cold.ts` prints: ends of stages in milliseconds since 1970. */
interface ColdStamps {
  stages: Record<
    "started" | "samplerImported" | "runtimeImported" | "parsed" | "ready" | "drawn" | "encoded",
    number
  >;
  sessionMs: number;
}

/** Measures each generator in processes of their own, as many as there are rounds. */
export async function measureCold(plan: Plan, folder: string): Promise<MeasuredCold[]> {
  const columns = plan.cases.flatMap((name) => plan.threads.map((threads) => ({ name, threads })));
  const found = columns.map((): ColdStages[] => []);
  for (let round = 0; round < plan.rounds; round++) {
    for (const [column, { name, threads }] of columns.entries()) {
      const args = [modelFile(folder, name, "fp32"), `${threads}`];
      const spawned = performance.timeOrigin + performance.now();
      const stamps = await runMeasurement<ColdStamps>(
        Deno.execPath(),
        denoScript("sampling/measure_cold.ts", ["--allow-read"], args),
      );
      const ended = performance.timeOrigin + performance.now();
      if (typeof stamps === "string") throw new Error(`Cannot load ${name}: ${stamps}`);
      found[column].push(toStages(stamps, spawned, ended));
    }
  }
  return columns.map((column, index) => ({ ...column, ...medians(found[index]) }));
}

function toStages({ stages, sessionMs }: ColdStamps, spawned: number, ended: number): ColdStages {
  return {
    denoStarts: stages.started - spawned,
    samplerImported: stages.samplerImported - stages.started,
    runtimeImported: stages.runtimeImported - stages.samplerImported,
    modelParsed: stages.parsed - stages.runtimeImported,
    runtimeStarted: stages.ready - stages.parsed,
    imageDrawn: stages.drawn - stages.ready,
    pngWritten: stages.encoded - stages.drawn,
    loadAndImage: stages.encoded - stages.started,
    process: ended - spawned,
    session: sessionMs,
  };
}

function medians(rounds: readonly ColdStages[]): ColdStages {
  const names = Object.keys(LABELS) as (keyof ColdStages)[];
  return Object.fromEntries(
    names.map((name) => [name, median(rounds.map((stages) => stages[name]))]),
  ) as unknown as ColdStages;
}

/** The table with what it means. */
export function coldTable({ rounds }: Plan, cold: readonly MeasuredCold[]): string {
  const names = Object.keys(LABELS) as (keyof ColdStages)[];
  const table = markdownTable(
    [
      "ms, cold process in Deno",
      ...cold.map(({ name, threads }) => `>${name}, ${threads} thread${threads > 1 ? "s" : ""}`),
    ],
    names.map((name) => [LABELS[name], ...cold.map((stages) => stages[name].toFixed(1))]),
  );
  return `${table}

Median of alternating processes (${rounds}), device "wasm" ("auto" looks for a GPU first); files in the disk's
cache. The whole process also loads a second time and disposes of both.`;
}
