/** What `deno task sample` does with models of images, rows and captions: images in, rows out, texts. */
import { decodeImage } from "../../src/data/images/decode.ts";
import { imageFormatOfName } from "../../src/data/images/image_formats.ts";
import { UserError } from "../../src/errors.ts";
import { ensureFolder, writeFileAtomically } from "../../src/files.ts";
import type { RowConditions, RowList, Sampler } from "../../src/sampler/mod.ts";
import type { ParsedCommand } from "../../cli/command.ts";

/** Options that only some models have a use for, and what a model has to be for them. */
const FOR_KIND: Record<string, "images" | "rows" | "texts" | "latents"> = {
  input: "images",
  condition: "rows",
  text: "texts",
  trunc: "latents",
  label: "latents",
  seeds: "latents",
  interpolate: "latents",
  grid: "latents",
  truncations: "latents",
  columns: "latents",
  scale: "latents",
};

/** What the model has to be for an option. */
const WHAT_FOR = {
  images: "that is for a model that makes images from images",
  rows: "that is for a generator of rows",
  texts: "that is for a generator of images from captions",
  latents: "that is for a generator of samples from latents",
};

/**
 * Refuses options that the model has no use for, and a run without what it needs.
 * @throws {UserError} naming the option
 */
export function checkModelOptions(command: ParsedCommand, { info }: Sampler): void {
  const kind = info.translator
    ? "images"
    : info.table
    ? "rows"
    : info.vocabulary
    ? "texts"
    : "latents";
  for (const [option, wanted] of Object.entries(FOR_KIND)) {
    const isGiven = option === "condition"
      ? command.list(option).length > 0
      : command.text(option) !== undefined;
    const fits = wanted === kind ||
      (kind === "texts" && wanted === "latents" && option !== "label");
    if (isGiven && !fits) {
      throw new UserError(`Cannot sample from ${info.name} with --${option}: ${WHAT_FOR[wanted]}`);
    }
  }
  if (kind === "images" && command.text("input") === undefined) {
    throw new UserError(
      `Cannot sample from ${info.name}: it makes images from images; give one, or a folder of them, as in ` +
        "--input photo.jpg",
    );
  }
  if (kind === "images" && command.text("count") !== undefined) {
    throw new UserError(`Cannot sample from ${info.name} with --count: each image gives one image`);
  }
  if (kind === "texts" && command.text("text") === undefined) {
    const words = info.vocabulary!.words.slice(0, 3).join(" ");
    throw new UserError(
      `Cannot sample from ${info.name}: it makes images from captions; give one, as in --text "${words}"`,
    );
  }
}

/**
 * Makes an image from each image.
 * @returns how many were written
 */
export async function translateFiles(
  sampler: Sampler,
  { input, out, seed }: { input: string; out: string; seed: number },
): Promise<number> {
  const isFolder = await kindOf(input) === "folder";
  if (isFolder !== out.endsWith("/")) {
    throw new UserError(
      isFolder
        ? `Cannot write ${out}: ${input} is a folder, so give one, as in --out results/`
        : `Cannot write ${out}: ${input} is one image; give a name that ends in .png`,
    );
  }
  if (!isFolder && !/[^/]\.png$/i.test(out)) {
    throw new UserError(`Cannot write ${out}: expected a name that ends in .png`);
  }
  const files = isFolder ? await imagesIn(input) : [{ path: input, name: "" }];
  const total = files.length;
  for (const [index, { path, name }] of files.entries()) {
    const image = await decodeImage(await Deno.readFile(path), path, {
      background: 255,
      ...(hasAlpha(path) ? { channels: 4 as const } : {}),
    });
    const made = await sampler.translate(image, { seed: seed + index });
    for (const note of made.notes) console.error(`note      ${path}: ${note}`);
    const target = isFolder ? `${out}${name.replace(/\.[^.]*$/, "")}.png` : out;
    await write(target, await made.toPng());
    if (total > 1) console.error(`progress  ${index + 1} of ${total}`);
  }
  return total;
}

/** Whether a file's format can be transparent; where no pixel is, nothing comes of it. */
function hasAlpha(path: string): boolean {
  return ["png", "webp", "gif", "avif", "tiff"].includes(imageFormatOfName(path) ?? "");
}

async function kindOf(path: string): Promise<"file" | "folder"> {
  try {
    return (await Deno.stat(path)).isDirectory ? "folder" : "file";
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UserError(`Cannot read ${path}: there is no such image or folder`, { cause: error });
  }
}

async function imagesIn(folder: string): Promise<{ path: string; name: string }[]> {
  const names: string[] = [];
  let others = 0;
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && imageFormatOfName(name) !== undefined) names.push(name);
    else others++;
  }
  if (names.length === 0) throw new UserError(`Cannot read ${folder}: it has no images`);
  if (others > 0) console.error(`note      ${folder}: ${others} entries are no images, left out`);
  const results = names.map((name) => name.replace(/\.[^.]*$/, ""));
  const twice = results.find((name, index) => results.indexOf(name) < index);
  if (twice !== undefined) {
    throw new UserError(
      `Cannot write the results of ${folder}: two of its images are called ${twice}`,
    );
  }
  return names.sort().map((name) => ({ path: `${folder.replace(/\/$/, "")}/${name}`, name }));
}

/** The ways to write rows, by the ends of names. */
const WRITERS: Record<string, (list: RowList, isFirst: boolean) => string> = {
  ".csv": (list, isFirst) => list.toCsv({ header: isFirst }),
  ".jsonl": (list) => list.toJsonLines(),
  ".json": (list, isFirst) =>
    list.rows.map((row, at) => `${isFirst && at === 0 ? "[\n" : ",\n"}${JSON.stringify(row)}`).join(
      "",
    ),
};

/** Makes rows and writes them. @returns how many */
export async function writeRows(
  sampler: Sampler,
  { out, count, seed, conditions }: {
    out: string;
    count: number;
    seed: number;
    conditions: RowConditions;
  },
): Promise<number> {
  const end = /\.(csv|jsonl|json)$/i.exec(out)?.[0].toLowerCase();
  if (end === undefined) {
    throw new UserError(`Cannot write ${out}: expected a name that ends in .csv, .json or .jsonl`);
  }
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  let done = 0, said = performance.now();
  for await (const list of sampler.streamRows({ count, seed, conditions })) {
    parts.push(encoder.encode(WRITERS[end](list, done === 0)));
    done += list.length;
    if (performance.now() - said < 1000) continue;
    said = performance.now();
    console.error(`progress  ${done} of ${count}`);
  }
  if (end === ".json") parts.push(encoder.encode("\n]\n"));
  await write(out, parts);
  return done;
}

/**
 * Conditions as they are given, `species=Adelie`; nothing behind the sign means that the value is missing.
 * @throws {UserError} where one is none, or a column is given twice
 */
export function readConditions(given: readonly string[]): RowConditions {
  const conditions: Record<string, string | null> = {};
  for (const text of given) {
    const at = text.indexOf("=");
    if (at < 1) {
      throw new UserError(
        `Cannot use --condition ${text}: expected COLUMN=CATEGORY, as in species=Adelie`,
      );
    }
    const name = text.slice(0, at);
    if (Object.hasOwn(conditions, name)) {
      throw new UserError(`Cannot use --condition ${text}: ${name} has a condition already`);
    }
    conditions[name] = text.slice(at + 1) || null;
  }
  return conditions;
}

async function write(path: string, bytes: Uint8Array | Uint8Array[]): Promise<void> {
  const slash = path.lastIndexOf("/");
  if (slash > 0) await ensureFolder(path.slice(0, slash));
  await writeFileAtomically(path, bytes);
}
