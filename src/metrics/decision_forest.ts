/**
 * A small random forest (Breiman 2001) over tables: what one column says about the others' values, learned from
 * one table and tried on another. Numbers are split at quantiles, names by "is this one"; a missing value is a
 * value of its own.
 */
import { fillUniform, permutation, STREAMS } from "../random/counter_random.ts";
import { isNumericColumn, type Table, type TableColumn } from "../tables/columns.ts";

/** What is learned: a column by the others. */
export interface LearningTask {
  /** The column's name. */
  target: string;
  /** Rows to learn from. */
  training: Table;
  /** Rows to predict the column of; the same columns. */
  test: Table;
  /** Where numbers are binned: the real table, for every learner alike. */
  reference: Table;
}

/** How often the column of the test rows is predicted rightly. */
export interface LearningScore {
  /** Share of the test rows, 0 to 1. */
  accuracy: number;
  /** Mean over the classes of the test rows of the harmonic mean of precision and recall (F1). */
  macroF1: number;
}

const TREES = 20;
const MAX_DEPTH = 12;
const MIN_ROWS = 4;
const BINS = 16;
/** Classes of a target of numbers: quartiles. */
const TARGET_BINS = 4;
/** Rows that a tree learns from at most. */
const MAX_ROWS = 5000;

/** Features as small codes, and how they are split. */
interface Feature {
  codes: Uint16Array;
  size: number;
  isOrdered: boolean;
}

interface Split {
  feature: number;
  code: number;
  isOrdered: boolean;
  yes: Node;
  no: Node;
}

type Node = Split | { label: number };

/**
 * Learns a column and predicts it.
 * @throws {RangeError} when the tables have no such column, or no other
 */
export function learnColumn({ target, training, test, reference }: LearningTask): LearningScore {
  const place = reference.columns.findIndex(({ name }) => name === target);
  if (place < 0 || reference.columns.length < 2) {
    throw new RangeError(
      `Cannot learn the column ${target}: it is not there, or there is no other`,
    );
  }
  const coders = reference.columns.map((column, i) =>
    coderOf(column, i === place ? TARGET_BINS : BINS)
  );
  const encode = (table: Table) => table.columns.map((column, i): Feature => coders[i](column));
  const [learned, tried] = [encode(training), encode(test)];
  const labels = learned[place];
  const features = learned.map((feature, i) => i === place ? undefined : feature);
  const trees = Array.from({ length: TREES }, (_, tree) => {
    const draws = fillUniform(new Float32Array(Math.min(MAX_ROWS, training.rowCount)), {
      seed: tree,
      stream: STREAMS.evaluation + 5,
      step: 0,
    });
    const rows = Uint32Array.from(draws, (draw) => Math.floor(draw * training.rowCount));
    return growTree(rows, { features, labels, tree });
  });
  const predicted = Int32Array.from({ length: test.rowCount }, (_, row) => {
    const votes = new Float64Array(labels.size);
    for (const tree of trees) votes[predict(tree, tried, row)]++;
    return largest(votes);
  });
  return scoreOf(predicted, tried[place]);
}

/** How a column becomes codes; the last code means missing, or a name that the reference lacks. */
function coderOf(reference: TableColumn, bins: number): (column: TableColumn) => Feature {
  if (isNumericColumn(reference)) {
    const sorted = reference.values.filter((value) => !Number.isNaN(value)).sort();
    const cuts = Array.from(
      { length: bins - 1 },
      (_, i) => sorted[Math.floor((i + 1) * sorted.length / bins)],
    );
    const edges = [...new Set(cuts)];
    return (column) => {
      if (!isNumericColumn(column)) throw new RangeError(`${column.name} holds no numbers`);
      const codes = Uint16Array.from(column.values, (value) => {
        if (Number.isNaN(value)) return edges.length + 1;
        let code = 0;
        while (code < edges.length && value >= edges[code]) code++;
        return code;
      });
      return { codes, size: edges.length + 2, isOrdered: true };
    };
  }
  const places = new Map(reference.categories.map((name, code) => [name, code]));
  const missing = reference.categories.length;
  return (column) => {
    if (isNumericColumn(column)) throw new RangeError(`${column.name} holds no names`);
    const own = column.categories.map((name) => places.get(name) ?? missing);
    const codes = Uint16Array.from(column.codes, (code) => code < 0 ? missing : own[code]);
    return { codes, size: missing + 1, isOrdered: false };
  };
}

interface Growing {
  features: readonly (Feature | undefined)[];
  labels: Feature;
  tree: number;
}

function growTree(rows: Uint32Array, growing: Growing): Node {
  let nodes = 0;
  function grow(own: Uint32Array, depth: number): Node {
    const counts = new Float64Array(growing.labels.size);
    for (const row of own) counts[growing.labels.codes[row]]++;
    const isPure = counts.some((count) => count === own.length);
    const best = isPure || depth >= MAX_DEPTH || own.length < 2 * MIN_ROWS
      ? undefined
      : bestSplit(own, { ...growing, counts, node: nodes++ });
    if (!best) return { label: largest(counts) };
    const { codes } = growing.features[best.feature]!;
    const isYes = (row: number) =>
      best.isOrdered ? codes[row] <= best.code : codes[row] === best.code;
    return {
      ...best,
      yes: grow(own.filter(isYes), depth + 1),
      no: grow(own.filter((row) => !isYes(row)), depth + 1),
    };
  }
  return grow(rows, 0);
}

/** The split with the largest gain of Gini purity, over about the root of all features, at random. */
function bestSplit(
  rows: Uint32Array,
  { features, labels, counts, tree, node }: Growing & { counts: Float64Array; node: number },
): Omit<Split, "yes" | "no"> | undefined {
  const places = [...features.keys()].filter((i) => features[i]);
  const tried = permutation(places.length, {
    seed: tree,
    stream: STREAMS.evaluation + 6,
    step: node,
  })
    .subarray(0, Math.ceil(Math.sqrt(places.length)) + 1);
  let best: { feature: number; code: number; isOrdered: boolean; purity: number } | undefined;
  const square = (sums: Float64Array) => sums.reduce((total, count) => total + count * count, 0);
  const without = square(counts) / rows.length;
  for (const feature of Array.from(tried, (i) => places[i])) {
    const { codes, size, isOrdered } = features[feature]!;
    const table = new Float64Array(size * labels.size);
    const totals = new Float64Array(size);
    for (const row of rows) {
      table[codes[row] * labels.size + labels.codes[row]]++;
      totals[codes[row]]++;
    }
    const yes = new Float64Array(labels.size);
    let inside = 0;
    for (let code = 0; code < size; code++) {
      if (!isOrdered) {
        yes.fill(0);
        inside = 0;
      }
      for (let label = 0; label < labels.size; label++) {
        yes[label] += table[code * labels.size + label];
      }
      inside += totals[code];
      if (inside < MIN_ROWS || rows.length - inside < MIN_ROWS) continue;
      const purity = square(yes) / inside +
        square(counts.map((count, label) => count - yes[label])) / (rows.length - inside);
      if (purity > (best?.purity ?? without + 1e-9)) best = { feature, code, isOrdered, purity };
    }
  }
  return best && { feature: best.feature, code: best.code, isOrdered: best.isOrdered };
}

function predict(tree: Node, features: readonly Feature[], row: number): number {
  let node = tree;
  while ("feature" in node) {
    const code = features[node.feature].codes[row];
    node = (node.isOrdered ? code <= node.code : code === node.code) ? node.yes : node.no;
  }
  return node.label;
}

function scoreOf(predicted: Int32Array, { codes, size }: Feature): LearningScore {
  const [hits, found, there] = [0, 0, 0].map(() => new Float64Array(size));
  for (const [row, label] of predicted.entries()) {
    found[label]++;
    there[codes[row]]++;
    if (label === codes[row]) hits[label]++;
  }
  const classes = [...there.keys()].filter((label) => there[label] > 0);
  const f1 = classes.map((label) => 2 * hits[label] / (found[label] + there[label]));
  return {
    accuracy: hits.reduce((total, count) => total + count, 0) / predicted.length,
    macroF1: f1.reduce((total, value) => total + value, 0) / classes.length,
  };
}

function largest(counts: Float64Array): number {
  return counts.indexOf(Math.max(...counts));
}
