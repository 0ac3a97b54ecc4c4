/** `deno task sample`: draws from an exported generator, through onnxruntime-web alone. */
import { parseNumberList } from "../src/config/number_list.ts";
import { UserError } from "../src/errors.ts";
import { enlarge } from "../src/report/image_grid.ts";
import {
  grid,
  type Raster,
  type Sample,
  type SampleOptions,
  Sampler,
  type SamplerDevice,
} from "../src/sampler/mod.ts";
import { ensureFolder, writeFileAtomically } from "../src/files.ts";
import { csvLine } from "../src/text.ts";
import { findGenerator } from "../src/run/find_generator.ts";
import { ASSUMPTION_OPTIONS, readAssumptions } from "../cli/assumptions.ts";
import {
  type CommandSpec,
  type ParsedCommand,
  runTask,
  type Task,
  type TaskOutcome,
} from "../cli/command.ts";
import { readLaunch } from "../cli/ranks.ts";
import {
  checkModelOptions,
  readConditions,
  translateFiles,
  writeRows,
} from "./cli/sample_models.ts";
import { ANIMATION_OPTIONS, readAnimation, writeAnimation } from "./cli/animate.ts";
import { drawSheet, planSheet, SHEET_OPTIONS } from "./cli/sheets.ts";
import { type Shard, shardCount, shardRequests } from "./cli/shards.ts";

const spec: CommandSpec = {
  name: "sample",
  summary:
    "Draws samples from a generator.onnx: a PNG grid, a CSV file for points, rows of a table, images from images.",
  positionals: "[MODEL.onnx | RUN | latest]",
  maxPositionals: 1,
  options: {
    count: { value: "N", help: "how many (default 16)" },
    seed: { value: "N", help: "the first one's seed; the others have the next (default 0)" },
    seeds: { value: "LIST", help: "one seed a sample, such as 0,3,10-20" },
    trunc: { value: "T", help: "truncation: 0 the average sample, 1 (default) the full variety" },
    label: { value: "K", help: "the class, by number or name, of a conditional generator" },
    input: {
      path: true,
      value: "PATH",
      help: "of a model that makes images from images: an image, or a folder of images",
    },
    text: { value: "CAPTION", help: "of a model of captions: what the images show" },
    condition: {
      value: "COLUMN=CATEGORY",
      repeated: true,
      help: "of a model of rows: only rows with this category",
    },
    ...ANIMATION_OPTIONS,
    ...SHEET_OPTIONS,
    columns: { value: "N", help: "images from left to right (default: as square as can be)" },
    scale: { value: "N", help: "enlarge pixels N times (default: small images grow)" },
    ...ASSUMPTION_OPTIONS,
    device: { value: "auto|wasm|webgpu", help: "what ONNX Runtime computes on (default auto)" },
    out: {
      path: true,
      value: "PATH",
      help:
        "grid.png, points.csv, or a folder with a / at its end for single images (default sampled.png or .csv beside the model)",
    },
    runs: { path: true, value: "FOLDER", help: "the folder of all runs (default runs)" },
  },
  examples: [
    "deno task sample latest",
    "deno task sample runs/00003-mnist-mlp --seeds 0,5,10-20 --trunc 0.7 --out grid.png",
    "deno task sample generator.onnx --count 100 --out images/",
    "deno task sample latest --interpolate 0,5,9 --frames 60 --loop --out walk.gif",
    "deno task sample latest --grid labels --count 5",
    "deno task sample latest --truncations 0,0.5,1 --count 6",
    "deno task sample latest --input photo.jpg --out result.png",
    "deno task sample latest --count 1000 --condition species=Adelie --out rows.csv",
    'deno task sample latest --text "thick red seven" --out sevens.png',
    "mpirun -n 4 deno task sample latest --count 1000000 --out images/   # each process draws a part",
  ],
};

/** A PNG is made in memory, several times over: this many bytes of pixels take about 1.5 GB. */
const MAX_PIXEL_BYTES = 2 ** 28;

/** The largest `--count`: of samples, and of rows, which are small. */
const MAX_SAMPLES = 1_000_000;
const MAX_ROWS = 100_000_000;

/** The task, for tests that run several commands in a process. */
export const sampleTask: Task = { spec, main };

if (import.meta.main) await runTask(spec, main);

async function main(command: ParsedCommand): Promise<TaskOutcome> {
  const given = command.positionals[0] ?? "latest";
  const { model } = await findGenerator(given, {
    runsFolder: command.text("runs") ?? "runs",
    purpose: "sample from",
  });
  readRequest(command, MAX_ROWS); // a mistake in the call is said before anything is loaded
  const animation = readAnimation(command);
  const scale = command.integer("scale", { min: 1, max: 64 });
  const columns = command.integer("columns", { min: 1, max: 1000 });
  const device = command.choice("device", ["auto", "wasm", "webgpu"]) ?? "auto";
  const launch = readLaunch();
  const cores = navigator.hardwareConcurrency;
  const threads = launch && Math.max(1, Math.floor(cores / (launch.ranksOnHost ?? 1)));
  await using sampler = await Sampler.load(model, {
    device,
    assume: readAssumptions(command),
    ...(threads === undefined ? {} : { threads }),
  });
  for (const warning of sampler.info.warnings) console.error(`warning   ${warning}`);
  const out = command.text("out") ??
    (animation
      ? `${folderOf(model)}interpolated.gif`
      : defaultOutput(model, sampler, command.text("input")));
  checkModelOptions(command, sampler);
  if (
    launch && launch.size > 1 && (animation || command.text("grid") || command.text("truncations"))
  ) {
    throw new UserError(
      `Cannot write ${out} by ${launch.size} processes: one draws an animation or a sheet; leave mpirun out`,
    );
  }
  const special = animation
    ? await writeAnimation(sampler, animation, {
      out,
      scale,
      request: lookOf(readRequest(command, MAX_SAMPLES)),
      onFrame: withProgress,
    })
    : await sampleSpecial(command, sampler, out);
  if (special !== undefined) {
    console.log(`sampled   ${special} from ${model} on ${describeDevice(sampler.device)}`);
    console.log(`wrote     ${out}`);
    return { json: { model, out, count: special, device: sampler.device.name } };
  }
  const request = readRequest(command, MAX_SAMPLES);
  const sheet = planSheet(command, sampler, { request, out });
  if (sheet) {
    const columns = sheet.columnNames.length;
    checkSize(out, sampler, {
      request: { count: sheet.rowNames.length * columns },
      columns,
      scale,
    });
    const { png, count } = await drawSheet(sampler, sheet, { scale, onSamples: withProgress });
    await write(out, png);
    console.log(`sampled   ${count} from ${model} on ${describeDevice(sampler.device)}`);
    console.log(`wrote     ${out}`);
    return { json: { model, out, count, device: sampler.device.name } };
  }
  checkUseful(command, out, request);
  checkSize(out, sampler, { request, columns, scale });
  const shard: Shard = launch ?? { rank: 0, size: 1 };
  if (shard.size > 1 && !out.endsWith("/")) {
    throw new UserError(
      `Cannot write ${out} by ${shard.size} processes: each writes its own images; give a folder, as in ` +
        "--out images/",
    );
  }
  const total = shardCount(request, shard);
  const samples = out.endsWith("/")
    ? shardStream(sampler, request, shard)
    : sampler.stream(request);
  const stream = withProgress(samples, total);
  let count = total;
  if (out.endsWith("/")) {
    count = await writeImages(stream, sampler, { folder: out, scale: scale ?? 1 });
  } else if (/\.csv$/i.test(out)) count = await writeCsv(stream, sampler, out);
  else if (/\.png$/i.test(out)) count = await writeGrid(stream, sampler, { out, columns, scale });
  else throw new UserError(`Cannot write ${out}: expected a name that ends in .png, .csv or /`);
  const part = shard.size > 1
    ? ` of ${countOf(request)} (process ${shard.rank} of ${shard.size})`
    : "";
  console.log(`sampled   ${count}${part} from ${model} on ${describeDevice(sampler.device)}`);
  console.log(`wrote     ${out}`);
  return { json: { model, out, count, device: sampler.device.name } };
}

/** Makes images from images, or rows. @returns how many; undefined for a generator of samples */
async function sampleSpecial(
  command: ParsedCommand,
  sampler: Sampler,
  out: string,
): Promise<number | undefined> {
  const seed = command.integer("seed", { min: 0, max: 0xffff_ffff }) ?? 0;
  const input = command.text("input");
  if (input !== undefined) return await translateFiles(sampler, { input, out, seed });
  if (sampler.info.table === null) return undefined;
  const count = command.integer("count", { min: 1, max: MAX_ROWS }) ?? 16;
  const conditions = readConditions(command.list("condition"));
  return await writeRows(sampler, { out, count, seed, conditions });
}

/** The samples of a process's blocks, one block after another. */
async function* shardStream(
  sampler: Sampler,
  request: SampleOptions,
  shard: Shard,
): AsyncGenerator<Sample> {
  for (const part of shardRequests(request, shard)) yield* sampler.stream(part);
}

/** Refuses options that would do nothing. */
function checkUseful(command: ParsedCommand, out: string, { seeds }: SampleOptions): void {
  const useless = /\.csv$/i.test(out) ? ["columns", "scale"] : out.endsWith("/") ? ["columns"] : [];
  const given = useless.find((name) => command.text(name) !== undefined);
  if (given) {
    throw new UserError(
      `Cannot write ${out} with --${given}: it is for ${
        given === "columns" ? "a grid, a name that ends in .png" : "images"
      }`,
    );
  }
  const list = [...(seeds ?? [])];
  if (out.endsWith("/") && new Set(list).size < list.length) {
    throw new UserError(`Cannot write each seed into ${out} once: --seeds names one twice`);
  }
}

function countOf({ count, seeds }: SampleOptions): number {
  return count ?? [...(seeds ?? [])].length;
}

/** Refuses an image that memory cannot be expected to hold, before anything is drawn. */
function checkSize(
  out: string,
  { info: { output } }: Sampler,
  { request, columns, scale = 1 }: { request: SampleOptions; columns?: number; scale?: number },
): void {
  if (output.kind !== "image" || /\.csv$/i.test(out)) return;
  const [channels, height, width] = output.shape;
  const count = countOf(request);
  const isGrid = !out.endsWith("/");
  const across = isGrid ? columns ?? Math.ceil(Math.sqrt(count)) : 1;
  const down = isGrid ? Math.ceil(count / across) : 1;
  const padding = isGrid ? 1 : 0;
  const pixelWidth = (across * (width + padding) + padding) * scale;
  const pixelHeight = (down * (height + padding) + padding) * scale;
  const bytes = pixelWidth * pixelHeight * channels;
  if (bytes <= MAX_PIXEL_BYTES) return;
  throw new UserError(
    `Cannot write ${out}: the image would be ${pixelWidth} x ${pixelHeight} pixels, ` +
      `${(bytes / 1e9).toPrecision(3)} GB, and at most ${
        (MAX_PIXEL_BYTES / 1e9).toPrecision(3)
      } GB ` +
      `are written; take a smaller --scale${
        isGrid ? " or --count, or a folder, as in --out images/" : ""
      }`,
  );
}

/** Passes samples on, and says about every second how many there are. */
async function* withProgress(
  samples: AsyncIterable<Sample>,
  total: number,
): AsyncGenerator<Sample> {
  let done = 0, said = performance.now();
  for await (const sample of samples) {
    yield sample;
    done++;
    if (performance.now() - said < 1000) continue;
    said = performance.now();
    console.error(`progress  ${done} of ${total}`);
  }
}

function describeDevice({ name, threads, adapter, fallback }: SamplerDevice): string {
  const what = name === "wasm"
    ? `wasm, ${threads} threads`
    : `WebGPU, ${adapter ?? "unnamed adapter"}`;
  return fallback === null ? what : `${what} (${fallback})`;
}

function readRequest(command: ParsedCommand, maxCount: number): SampleOptions {
  const seeds = command.text("seeds");
  const count = command.integer("count", { min: 1, max: maxCount });
  const seed = command.integer("seed", { min: 0, max: 0xffff_ffff });
  if (seeds !== undefined && (count !== undefined || seed !== undefined)) {
    throw new UserError("Cannot sample: give --seeds, or --count and --seed, not both");
  }
  const label = command.text("label");
  const text = command.text("text");
  return {
    ...(seeds === undefined
      ? { count: count ?? 16, seed: seed ?? 0 }
      : { seeds: parseNumberList(seeds, "--seeds") }),
    truncation: command.number("trunc", { min: 0 }) ?? 1,
    ...(label === undefined ? {} : { label }),
    ...(text === undefined ? {} : { text }),
  };
}

function defaultOutput(model: string, { info }: Sampler, input: string | undefined): string {
  if (input !== undefined && /[/\\]$/.test(input)) return `${input.replace(/[/\\]$/, "")}-sampled/`;
  return `${folderOf(model)}sampled.${info.output.kind === "image" ? "png" : "csv"}`;
}

/** The folder of a file, with a slash at its end where it names one. */
function folderOf(model: string): string {
  return model.includes("/") ? model.slice(0, model.lastIndexOf("/") + 1) : "";
}

/** A request without its seeds. */
function lookOf({ truncation, label, text }: SampleOptions): SampleOptions {
  return {
    truncation,
    ...(label === undefined ? {} : { label }),
    ...(text === undefined ? {} : { text }),
  };
}

function requireImages({ info: { output } }: Sampler, out: string): void {
  if (output.kind === "image") return;
  throw new UserError(
    `Cannot write ${out}: this generator makes points of [${
      output.shape.join(", ")
    }] numbers, not ` +
      "images; give a name that ends in .csv, or say what they are with --shape and --layout",
  );
}

async function writeGrid(
  stream: AsyncIterable<Sample>,
  sampler: Sampler,
  { out, columns, scale }: { out: string; columns?: number; scale?: number },
): Promise<number> {
  requireImages(sampler, out);
  const rasters: Raster[] = [];
  for await (const sample of stream) rasters.push(sample.toRaster());
  const sheet = grid(rasters, { columns, padding: 1 });
  const factor = scale ?? Math.max(1, Math.floor(600 / Math.max(sheet.width, sheet.height)));
  await write(out, await enlarge(sheet, factor).toPng());
  return rasters.length;
}

async function writeImages(
  stream: AsyncIterable<Sample>,
  sampler: Sampler,
  { folder, scale }: { folder: string; scale: number },
): Promise<number> {
  requireImages(sampler, folder);
  let count = 0;
  for await (const sample of stream) {
    const name = `seed${String(sample.seed).padStart(4, "0")}.png`;
    await write(folder + name, await enlarge(sample.toRaster(), scale).toPng());
    count++;
  }
  return count;
}

async function writeCsv(
  stream: AsyncIterable<Sample>,
  { info: { output, manifest } }: Sampler,
  out: string,
): Promise<number> {
  if (output.shape.reduce((product, size) => product * size, 1) > 4096) {
    throw new UserError("Cannot write images as CSV: give a name that ends in .png");
  }
  const encoder = new TextEncoder();
  const names = manifest?.columnNames;
  const lines: Uint8Array[] = names ? [encoder.encode(csvLine(names))] : [];
  let count = 0;
  for await (const sample of stream) {
    lines.push(encoder.encode(csvLine(Array.from(sample.values))));
    count++;
  }
  await write(out, lines);
  return count;
}

async function write(path: string, bytes: Uint8Array | Uint8Array[]): Promise<void> {
  const slash = path.lastIndexOf("/");
  if (slash > 0) await ensureFolder(path.slice(0, slash));
  await writeFileAtomically(path, bytes);
}
