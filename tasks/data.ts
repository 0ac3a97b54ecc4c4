/** `deno task data`: looks at a data set before a run, and says how to train on it. */
import { cleanCache } from "../src/data/cache/cache_folder.ts";
import { type ImageFilesLook, lookAtData, type OpenedLook } from "../src/data/look.ts";
import { openDataSource } from "../src/data/open.ts";
import type { DataSource } from "../src/data/source.ts";
import { toUnits, unitsOf } from "../src/data/units.ts";
import { UserError } from "../src/errors.ts";
import { ensureFolder, writeFileAtomically } from "../src/files.ts";
import { choosePreset, type ChosenPreset } from "../src/pipeline/choose_preset.ts";
import { classCounts, dataRemarks, inspectSamples } from "../src/pipeline/data_remarks.ts";
import { cacheOptions } from "../src/pipeline/open_data.ts";
import { drawSamples } from "../src/pipeline/sample_images.ts";
import { formatInteger, formatNumber } from "../src/text.ts";
import {
  type CommandSpec,
  type ParsedCommand,
  runTask,
  type Task,
  type TaskOutcome,
} from "../cli/command.ts";
import { readCacheFolder } from "./cli/cache_folder.ts";
import { LoadingBar } from "./cli/loading_bar.ts";
import { withInterrupt } from "./cli/watch.ts";

const spec: CommandSpec = {
  name: "data",
  summary: "Looks at a data set: what it is, what is odd about it, and how to train on it.",
  positionals: "[PATH]",
  maxPositionals: 1,
  options: {
    size: { value: "HxW", help: "look at images of this size (default: the one that fits)" },
    out: { path: true, value: "FILE.png", help: "the contact sheet (default beside the cache)" },
    cache: {
      path: true,
      value: "FOLDER|none",
      help: "where decoded images are kept for the next time (default cache)",
    },
    clean: { help: "remove all decoded data from the cache folder" },
  },
  examples: [
    "deno task data photos/",
    "deno task data points.csv --json",
    "deno task data --clean",
  ],
};

/** Images of the contact sheet. */
const SHEET_COLUMNS = 8;
const SHEET_IMAGES = 64;

/** Broken files, classes and copies that are printed one by one. */
const MAX_LISTED = 20;

/** The task, for tests that run several commands in a process. */
export const dataTask: Task = { spec, main };

if (import.meta.main) await runTask(spec, main);

async function main(command: ParsedCommand): Promise<TaskOutcome> {
  const [path] = command.positionals;
  const { cache } = cacheOptions(readCacheFolder(command), "runs");
  if (command.flag("clean")) {
    if (!cache) throw new UserError("Cannot clean: --cache none names no folder");
    const removed = await cleanCache(cache.folder);
    console.log(`cleaned   ${removed}`);
    if (path === undefined) return { json: { cleaned: cache.folder } };
  }
  if (path === undefined) {
    throw new UserError("Cannot look at data: name a file or folder, as in deno task data photos/");
  }
  const loading = new LoadingBar();
  const outcome = await withInterrupt(
    (signal) => look(path, command, { cache, signal, loading }),
    () => console.log("stopping"),
  );
  return outcome ?? { exitCode: 130, json: { interrupted: true } };
}

interface Looking {
  cache: ReturnType<typeof cacheOptions>["cache"];
  signal: AbortSignal;
  loading: LoadingBar;
}

async function look(
  path: string,
  command: ParsedCommand,
  { cache, signal, loading }: Looking,
): Promise<TaskOutcome> {
  const options = { cache, signal, onProgress: loading.update.bind(loading) };
  const found = await lookAtData({ source: "auto", path }, options);
  const chosen = choosePreset(found);
  const data = found.form === "opened" ? found.data : await openDataSource({
    source: "auto",
    path,
    size: readSize(command) ?? chosen.config.data.size,
    broken: "skip",
  }, options);
  loading.finish();
  try {
    const facts = inspectSamples(data);
    printData(found, data);
    const remarks = [...data.notes ?? [], ...dataRemarks(data, facts)];
    for (const remark of remarks) console.log(`note      ${remark}`);
    for (const group of facts.copies.slice(0, MAX_LISTED)) {
      console.log(`copies    images ${group.slice(0, 8).join(", ")}, counted from 0 by path`);
    }
    const sheet = await writeSheet(
      data,
      command.text("out") ?? `${cache?.folder ?? "."}/contact.png`,
    );
    if (sheet) console.log(`sheet     ${sheet}`);
    const train = trainCommand(path, chosen);
    console.log(`train     ${train}`);
    return {
      json: {
        name: data.name,
        kind: data.kind,
        shape: data.shape,
        count: data.count,
        classes: classCounts(data),
        broken: found.form === "files" ? found.broken : [],
        copies: facts.copies,
        blank: facts.blank,
        notes: remarks,
        sheet: sheet ?? null,
        train,
      },
    };
  } finally {
    data.close?.();
  }
}

function readSize(command: ParsedCommand): [number, number] | undefined {
  const given = command.text("size");
  if (given === undefined) return undefined;
  const match = /^(\d+)(?:x(\d+))?$/.exec(given);
  if (!match) {
    throw new UserError(
      `Cannot look at images of size ${given}: expected a side, or height x width`,
    );
  }
  return [Number(match[1]), Number(match[2] ?? match[1])];
}

function printData(found: ImageFilesLook | OpenedLook, data: DataSource): void {
  console.log(`data      ${data.description}`);
  if (found.form === "files") {
    for (const line of fileLines(found)) console.log(`files     ${line}`);
    for (const line of found.broken.slice(0, MAX_LISTED)) console.log(`broken    ${line}`);
    const more = found.broken.length - MAX_LISTED;
    if (more > 0) console.log(`broken    and ${formatInteger(more)} more`);
  }
  const classes = classCounts(data);
  for (const { name, count } of classes.slice(0, MAX_LISTED)) {
    console.log(`class     ${name}: ${formatInteger(count)}`);
  }
  if (classes.length > MAX_LISTED) {
    console.log(`class     and ${formatInteger(classes.length - MAX_LISTED)} more`);
  }
  if (data.kind === "points") {
    for (const line of columnLines(data)) console.log(`column    ${line}`);
  }
}

/** Formats, sizes and channels of image files. */
function fileLines({ headers }: ImageFilesLook): string[] {
  const formats = counts(headers.map(({ format }) => format.toUpperCase()));
  const channels = counts(
    headers.map(({ channels, format }) =>
      channels === 1 ? "gray" : channels === 3 ? "RGB" : format === "jpeg" ? "CMYK" : "with alpha"
    ),
  );
  const sizes = counts(headers.map(({ width, height }) => `${width} x ${height}`));
  const pixels = headers.map(({ width, height }) => ({ width, height, area: width * height }))
    .sort((a, b) => a.area - b.area);
  const [smallest, largest] = [pixels[0], pixels[pixels.length - 1]];
  return [
    formats,
    channels,
    pixels.every(({ width, height }) => width === smallest.width && height === smallest.height)
      ? sizes
      : `${smallest.width} x ${smallest.height} to ${largest.width} x ${largest.height} pixels`,
  ];
}

/** `JPEG 290, PNG 10` */
function counts(values: string[]): string {
  const found = new Map<string, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return [...found].sort((a, b) => b[1] - a[1])
    .map(([value, count]) => `${value} ${formatInteger(count)}`).join(", ");
}

/** The name, range and mean of each column, and whether it is standardized for training. */
function columnLines(data: DataSource): string[] {
  const size = data.sampleSize;
  const ranges = Array.from({ length: size }, () => ({ low: Infinity, high: -Infinity, sum: 0 }));
  for (let first = 0; first < data.count; first += 1000) {
    const length = Math.min(1000, data.count - first);
    const { values: seen } = data.batch(Uint32Array.from({ length }, (_, i) => first + i));
    const values = toUnits(seen, data);
    values.forEach((value, i) => {
      const range = ranges[i % size];
      range.low = Math.min(range.low, value);
      range.high = Math.max(range.high, value);
      range.sum += value;
    });
  }
  const units = unitsOf(data);
  return ranges.map(({ low, high, sum }, column) =>
    `${data.columns?.[column].name ?? column + 1}: ${formatNumber(low)} to ${
      formatNumber(high)
    }, mean ${formatNumber(sum / data.count)}${
      units ? `, standard deviation ${formatNumber(units[column].scale)}, standardized` : ""
    }`
  );
}

/** Writes some samples, evenly spaced, as one image. @returns its path; undefined for points beyond 2-D */
async function writeSheet(data: DataSource, path: string): Promise<string | undefined> {
  const wanted = data.kind === "image" ? SHEET_IMAGES : 10_000;
  const length = Math.min(wanted, data.count);
  const indices = Uint32Array.from({ length }, (_, i) => Math.floor(i * data.count / length));
  const { values } = data.batch(indices);
  const image = await drawSamples(values, data, { columns: SHEET_COLUMNS, title: data.name });
  if (!image) return undefined;
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  if (folder) await ensureFolder(folder);
  await writeFileAtomically(path, image.png);
  return path;
}

function trainCommand(path: string, { name, config }: ChosenPreset): string {
  const quoted = /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
  const isWidened = config.preset === "ring-2d" && config.discriminator.inputShape[0] > 2;
  return `deno task train ${isWidened ? "" : `${name} `}--data ${quoted}` +
    (isWidened ? "" : ` --batch ${config.batchSize}`);
}
