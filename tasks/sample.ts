/** `deno task sample`: draws from an exported generator, through onnxruntime-web alone. */
import { parseNumberList } from "../src/config/number_list.ts";
import { UserError } from "../src/errors.ts";
import { enlarge } from "../src/report/image_grid.ts";
import {
  type SampleList,
  type SampleOptions,
  Sampler,
  type SamplerDevice,
} from "../src/sampler/mod.ts";
import { ensureFolder, writeFileAtomically } from "../src/files.ts";
import { findGenerator } from "../src/run/find_generator.ts";
import { type CommandSpec, type ParsedCommand, runTask, type TaskOutcome } from "../cli/command.ts";

const spec: CommandSpec = {
  name: "sample",
  summary: "Draws samples from a generator.onnx: a PNG grid, or a CSV file for points.",
  positionals: "[MODEL.onnx | RUN | latest]",
  maxPositionals: 1,
  options: {
    count: { value: "N", help: "how many (default 16)" },
    seed: { value: "N", help: "the first one's seed; the others have the next (default 0)" },
    seeds: { value: "LIST", help: "one seed a sample, such as 0,3,10-20" },
    trunc: { value: "T", help: "truncation: 0 the average sample, 1 (default) the full variety" },
    label: { value: "K", help: "the class, by number or name, of a conditional generator" },
    columns: { value: "N", help: "images from left to right (default: as square as can be)" },
    scale: { value: "N", help: "enlarge pixels N times (default: small images grow)" },
    device: { value: "auto|wasm|webgpu", help: "what ONNX Runtime computes on (default auto)" },
    out: {
      value: "PATH",
      help:
        "grid.png, points.csv, or a folder with a / at its end for single images (default sampled.png or .csv beside the model)",
    },
    runs: { value: "FOLDER", help: "the folder of all runs (default runs)" },
  },
  examples: [
    "deno task sample latest",
    "deno task sample runs/00003-mnist-mlp --seeds 0,5,10-20 --trunc 0.7 --out grid.png",
    "deno task sample generator.onnx --count 100 --out images/",
  ],
};

if (import.meta.main) await runTask(spec, main);

async function main(command: ParsedCommand): Promise<TaskOutcome> {
  const given = command.positionals[0] ?? "latest";
  const { model } = await findGenerator(given, {
    runsFolder: command.text("runs") ?? "runs",
    purpose: "sample from",
  });
  const scale = command.integer("scale", { min: 1, max: 64 });
  const columns = command.integer("columns", { min: 1, max: 1000 });
  const request = readRequest(command);
  const device = command.choice("device", ["auto", "wasm", "webgpu"]) ?? "auto";
  await using sampler = await Sampler.load(model, { device });
  const samples = await sampler.sample(request);
  const out = command.text("out") ?? defaultOutput(model, samples);
  checkUseful(command, out, samples);
  if (out.endsWith("/")) await writeImages(samples, out, scale ?? 1);
  else if (/\.csv$/i.test(out)) await write(out, new TextEncoder().encode(toCsv(samples)));
  else if (/\.png$/i.test(out)) await writeGrid(samples, out, columns, scale);
  else throw new UserError(`Cannot write ${out}: expected a name that ends in .png, .csv or /`);
  console.log(`sampled   ${samples.length} from ${model} on ${describeDevice(sampler.device)}`);
  console.log(`wrote     ${out}`);
  return { json: { model, out, count: samples.length, device: sampler.device.name } };
}

/** Refuses options that would do nothing. */
function checkUseful(command: ParsedCommand, out: string, samples: SampleList): void {
  const useless = /\.csv$/i.test(out) ? ["columns", "scale"] : out.endsWith("/") ? ["columns"] : [];
  const given = useless.find((name) => command.text(name) !== undefined);
  if (given) {
    throw new UserError(
      `Cannot write ${out} with --${given}: it is for ${
        given === "columns" ? "a grid, a name that ends in .png" : "images"
      }`,
    );
  }
  const seeds = samples.map(({ seed }) => seed);
  if (out.endsWith("/") && new Set(seeds).size < seeds.length) {
    throw new UserError(`Cannot write each seed into ${out} once: --seeds names one twice`);
  }
}

function describeDevice({ name, threads, adapter, fallback }: SamplerDevice): string {
  const what = name === "wasm"
    ? `wasm, ${threads} threads`
    : `WebGPU, ${adapter ?? "unnamed adapter"}`;
  return fallback === null ? what : `${what} (${fallback})`;
}

function readRequest(command: ParsedCommand): SampleOptions {
  const seeds = command.text("seeds");
  const count = command.integer("count", { min: 1, max: 1_000_000 });
  const seed = command.integer("seed", { min: 0, max: 0xffff_ffff });
  if (seeds !== undefined && (count !== undefined || seed !== undefined)) {
    throw new UserError("Cannot sample: give --seeds, or --count and --seed, not both");
  }
  const label = command.text("label");
  return {
    ...(seeds === undefined
      ? { count: count ?? 16, seed: seed ?? 0 }
      : { seeds: parseNumberList(seeds, "--seeds") }),
    truncation: command.number("trunc", { min: 0 }) ?? 1,
    ...(label === undefined ? {} : { label: /^\d+$/.test(label) ? Number(label) : label }),
  };
}

function defaultOutput(model: string, samples: SampleList): string {
  const folder = model.includes("/") ? model.slice(0, model.lastIndexOf("/") + 1) : "";
  return `${folder}sampled.${samples[0].isImage ? "png" : "csv"}`;
}

function requireImages(samples: SampleList, out: string): void {
  if (samples[0].isImage) return;
  throw new UserError(
    `Cannot write ${out}: this generator makes points of ${
      samples[0].values.length
    } numbers, not ` +
      "images; give a name that ends in .csv",
  );
}

async function writeGrid(
  samples: SampleList,
  out: string,
  columns: number | undefined,
  scale: number | undefined,
): Promise<void> {
  requireImages(samples, out);
  const sheet = samples.grid({ columns, padding: 1 });
  const factor = scale ?? Math.max(1, Math.floor(600 / Math.max(sheet.width, sheet.height)));
  await write(out, await enlarge(sheet, factor).toPng());
}

async function writeImages(samples: SampleList, folder: string, scale: number): Promise<void> {
  requireImages(samples, folder);
  for (const sample of samples) {
    const name = `seed${String(sample.seed).padStart(4, "0")}.png`;
    await write(folder + name, await enlarge(sample.toRaster(), scale).toPng());
  }
}

function toCsv(samples: SampleList): string {
  if (samples[0].values.length > 4096) {
    throw new UserError("Cannot write images as CSV: give a name that ends in .png");
  }
  return samples.map((sample) => Array.from(sample.values).join(",") + "\n").join("");
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  const slash = path.lastIndexOf("/");
  if (slash > 0) await ensureFolder(path.slice(0, slash));
  await writeFileAtomically(path, bytes);
}
