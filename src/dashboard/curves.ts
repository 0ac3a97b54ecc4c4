/**
 * A run's metrics as columns for plots, thinned: of each bucket of lines the mean, so that a page gets two
 * thousand points of a hundred thousand lines. Files are read in pieces, and never kept.
 */

/** Columns of equal length, by name; a value that no line of its bucket has is null. */
export interface Curves {
  /** `step`, `images`, `wallS`, and every scalar. */
  columns: Record<string, (number | null)[]>;
  /** Lines in the file. */
  lines: number;
}

/** The sums of some consecutive lines. */
interface Bucket {
  /** Of the last line. */
  step: number;
  sums: Map<string, { sum: number; count: number }>;
  lines: number;
}

/**
 * Reads the curves of a `metrics.jsonl`; damaged lines are left out.
 * @param points the approximate maximum a column
 */
export async function readCurves(file: string, points: number): Promise<Curves> {
  let buckets: Bucket[] = [];
  let perBucket = 1;
  let lines = 0;
  for await (const line of readLines(file)) {
    const values = parse(line);
    if (!values) continue;
    lines++;
    const open = buckets.at(-1);
    if (open && open.lines < perBucket) add(open, values);
    else buckets.push(add({ step: 0, sums: new Map(), lines: 0 }, values));
    if (buckets.length >= 2 * points) {
      buckets = pairs(buckets);
      perBucket *= 2;
    }
  }
  const names = new Set(buckets.flatMap(({ sums }) => [...sums.keys()]));
  const columns: Curves["columns"] = { step: buckets.map(({ step }) => step) };
  for (const name of names) {
    if (name === "step") continue;
    columns[name] = buckets.map(({ sums }) => {
      const found = sums.get(name);
      return found ? Number((found.sum / found.count).toPrecision(6)) : null;
    });
  }
  return { columns, lines };
}

function add(bucket: Bucket, values: Record<string, number>): Bucket {
  bucket.step = values.step;
  bucket.lines++;
  for (const [name, value] of Object.entries(values)) {
    const entry = bucket.sums.get(name);
    if (entry) {
      entry.sum += value;
      entry.count++;
    } else bucket.sums.set(name, { sum: value, count: 1 });
  }
  return bucket;
}

/** Joins each two neighbors. */
function pairs(buckets: Bucket[]): Bucket[] {
  const joined: Bucket[] = [];
  for (let i = 0; i < buckets.length; i += 2) {
    const [first, second] = buckets.slice(i, i + 2);
    if (!second) {
      joined.push(first);
      continue;
    }
    for (const [name, { sum, count }] of second.sums) {
      const entry = first.sums.get(name) ?? { sum: 0, count: 0 };
      first.sums.set(name, { sum: entry.sum + sum, count: entry.count + count });
    }
    joined.push({ step: second.step, sums: first.sums, lines: first.lines + second.lines });
  }
  return joined;
}

function parse(line: string): Record<string, number> | undefined {
  try {
    const values = JSON.parse(line) as Record<string, unknown> | null;
    if (!Number.isFinite(values?.step)) return undefined;
    const numbers = Object.entries(values!).filter(([, value]) => Number.isFinite(value));
    return Object.fromEntries(numbers) as Record<string, number>;
  } catch {
    return undefined;
  }
}

async function* readLines(file: string): AsyncGenerator<string> {
  let handle: Deno.FsFile;
  try {
    handle = await Deno.open(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  let rest = "";
  for await (const text of handle.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
