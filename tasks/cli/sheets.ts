/** Sheets of `deno task sample` with names in the margins: classes by seeds, truncations by seeds. */
import { UserError } from "../../src/errors.ts";
import { labeledGrid } from "../../src/report/labeled_grid.ts";
import type { Raster, Sample, SampleOptions, Sampler } from "../../src/sampler/mod.ts";
import type { OptionSpec } from "../../cli/command_types.ts";
import type { ParsedCommand } from "../../cli/command.ts";

/** The options of sheets. */
export const SHEET_OPTIONS: Record<string, OptionSpec> = {
  grid: {
    value: "labels",
    help: "all classes side by side, a row for each seed, with their names",
  },
  truncations: {
    value: "LIST",
    help: "a row for each truncation, such as 0,0.5,1, a column for each seed",
  },
};

/** A sheet: which samples, row by row, and the names in its margins. */
export interface Sheet {
  /** What all samples have besides. */
  requests: SampleOptions[];
  rowNames: string[];
  columnNames: string[];
}

/**
 * Plans the sheet that is asked for.
 * @param request seeds and truncation of all samples
 * @returns undefined where none is asked for
 * @throws {UserError} where the generator or another option does not allow it
 */
export function planSheet(
  command: ParsedCommand,
  sampler: Sampler,
  { request, out }: { request: SampleOptions; out: string },
): Sheet | undefined {
  const kind = command.choice("grid", ["labels"]);
  const list = command.text("truncations");
  if (kind === undefined && list === undefined) return undefined;
  const option = kind === undefined ? "truncations" : "grid";
  const refuse = (why: string) => new UserError(`Cannot sample with --${option}: ${why}`);
  if (kind !== undefined && list !== undefined) {
    throw refuse("give --grid or --truncations, not both");
  }
  const useless = ["columns", ...(kind ? ["label"] : ["trunc"])]
    .find((name) => command.text(name) !== undefined);
  if (useless) throw refuse(`--${useless} would change nothing; leave it out`);
  const { name, output, classNames, conditional } = sampler.info;
  if (output.kind !== "image") throw refuse(`${name} makes points, and a sheet shows images`);
  if (!/[^/]\.png$/i.test(out)) {
    throw refuse(`expected --out with a name that ends in .png: ${out}`);
  }
  const seeds = seedsOf(request);
  const seedNames = seeds.map((seed) => `seed ${seed}`);
  if (list !== undefined) {
    const truncations = readTruncations(list);
    return {
      requests: truncations.map((truncation) => ({ ...request, ...inSeeds(seeds), truncation })),
      rowNames: truncations.map((truncation) => `truncation ${truncation}`),
      columnNames: seedNames,
    };
  }
  if (!conditional || classNames === null) throw refuse(`${name} knows no classes`);
  return {
    requests: seeds.map((seed) => ({
      ...request,
      ...inSeeds(classNames.map(() => seed)),
      label: classNames.map((_, label) => label),
    })),
    rowNames: seedNames,
    columnNames: classNames,
  };
}

/** Draws a sheet. @returns the PNG, and how many samples it shows */
export async function drawSheet(
  sampler: Sampler,
  { requests, rowNames, columnNames }: Sheet,
  { scale, onSamples = (samples) => samples }: {
    scale?: number;
    onSamples?: (samples: AsyncIterable<Sample>, total: number) => AsyncIterable<Sample>;
  },
): Promise<{ png: Uint8Array; count: number }> {
  const total = rowNames.length * columnNames.length;
  const all = (async function* () {
    for (const request of requests) yield* sampler.stream(request);
  })();
  const images: Raster[] = [];
  for await (const sample of onSamples(all, total)) images.push(sample.toRaster());
  const columns = columnNames.length;
  const png = await labeledGrid(images, { columns, columnNames, rowNames, scale });
  return { png, count: total };
}

/** A request's seeds in place of its count. */
function inSeeds(seeds: number[]): Pick<SampleOptions, "count" | "seed" | "seeds"> {
  return { count: undefined, seed: undefined, seeds };
}

function seedsOf({ count = 1, seed = 0, seeds }: SampleOptions): number[] {
  return seeds ? [...seeds] : Array.from({ length: count }, (_, i) => seed + i);
}

function readTruncations(list: string): number[] {
  return list.split(",").map((part) => {
    const value = Number(part);
    if (part.trim() !== "" && value >= 0 && value <= 1000) return value;
    throw new UserError(
      `Cannot read --truncations ${list}: "${part}" is no number from 0 to 1000; expected numbers as in 0,0.5,1`,
    );
  });
}
