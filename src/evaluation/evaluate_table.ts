/**
 * Measures synthetic rows against the table that a generator learned: each figure beside that of the data
 * against themselves, which is what a perfect generator would get.
 */
import { UserError } from "../errors.ts";
import { type ClosestRows, closestRows } from "../metrics/closest_rows.ts";
import { learnColumn } from "../metrics/decision_forest.ts";
import { tableQuality } from "../metrics/table_quality.ts";
import { permutation, STREAMS } from "../random/counter_random.ts";
import { isNumericColumn, type Table, takeTableRows } from "../tables/columns.ts";
import type { Pair } from "./evaluation.ts";

/** A column that a classifier learned from the others: from synthetic rows and from real ones, tried on real ones. */
export interface LearnedColumn {
  /** The column that is predicted; numbers by their quartile. */
  name: string;
  /** Share of right predictions for held-back rows. */
  accuracy: Pair<number>;
  /** Mean F1 over the classes. */
  macroF1: Pair<number>;
  /** Share of the most frequent class: what knowing nothing gets. */
  majority: number;
}

/** What {@linkcode evaluateTable} finds. */
export interface TableEvaluation {
  /** Rows of each kind in the figures of columns. */
  rows: { synthetic: number; real: number };
  /** Mean over columns of the likeness of their distributions, 0 to 1. */
  columnShapes: Pair<number>;
  /** Mean over pairs of columns of the likeness of their dependence, 0 to 1. */
  pairTrends: Pair<number>;
  /** Of each column. */
  columns: { name: string; measure: "ks" | "tv"; score: Pair<number> }[];
  /** Of each pair of columns. */
  pairs: { names: [string, string]; measure: "correlation" | "contingency"; score: Pair<number> }[];
  /** Columns that a classifier predicts. */
  learned: LearnedColumn[];
  /** Distances to the closest row that was trained on: of synthetic rows, and of rows held back. */
  closest: Pair<ClosestRows>;
  /** Held-back rows. */
  heldBack: number;
}

/** What synthetic rows are compared with. */
export interface RealRows {
  /** The rows that were trained on. */
  trained: Table;
  /** Rows that were not. */
  heldBack?: Table;
}

/** Columns that are predicted at most. */
const MAX_TARGETS = 4;
/** A predicted column of names has at most this many. */
const MAX_TARGET_CATEGORIES = 20;
/** Synthetic rows that are looked up. */
const MAX_LOOKED_UP = 1000;

/** The synthetic rows that {@linkcode evaluateTable} takes: as many as half of those trained on. */
export function comparedRows({ trained }: RealRows): number {
  return Math.floor(trained.rowCount / 2);
}

/**
 * Compares tables of the same columns. Shapes and trends are those of one half of the trained rows against as
 * many synthetic ones, and against the other half.
 * @param synthetic at least {@linkcode comparedRows} rows; the first ones are used
 * @throws {UserError} when there are fewer, or too few real rows to compare with
 */
export function evaluateTable({ trained, heldBack }: RealRows, synthetic: Table): TableEvaluation {
  const count = comparedRows({ trained });
  if (count < 10 || synthetic.rowCount < count) {
    throw new UserError(
      `Cannot evaluate ${synthetic.rowCount} rows: half of the ${trained.rowCount} real ones are ` +
        `compared with as many, and at least 10`,
    );
  }
  const order = permutation(trained.rowCount, { seed: 0, stream: STREAMS.evaluation + 4, step: 0 });
  const half = takeTableRows(trained, order.subarray(0, count));
  const otherHalf = takeTableRows(trained, order.subarray(count, 2 * count));
  const own = takeTableRows(synthetic, firstRows(count));
  const [found, self] = [own, otherHalf].map((table) => tableQuality(half, table));
  const pair = (of: (quality: typeof found) => number): Pair<number> => ({
    generated: of(found),
    data: of(self),
  });
  const held = heldBack ?? otherHalf;
  const looked = takeTableRows(own, firstRows(Math.min(MAX_LOOKED_UP, count)));
  const apart = takeTableRows(held, firstRows(Math.min(MAX_LOOKED_UP, held.rowCount)));
  return {
    rows: { synthetic: count, real: trained.rowCount },
    columnShapes: pair(({ columnShapes }) => columnShapes),
    pairTrends: pair(({ pairTrends }) => pairTrends),
    columns: found.columns.map(({ name, measure }, i) => ({
      name,
      measure,
      score: pair(({ columns }) => columns[i].score),
    })),
    pairs: found.pairs.map(({ names, measure }, i) => ({
      names,
      measure,
      score: pair(({ pairs }) => pairs[i].score),
    })),
    learned: trained.columns.length < 2
      ? []
      : targetsOf(trained).map((name) => learned(name, { own, half, held, trained })),
    closest: {
      generated: closestRows(looked, trained),
      data: heldBack ? closestRows(apart, trained) : null,
    },
    heldBack: heldBack?.rowCount ?? 0,
  };
}

function firstRows(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, row) => row);
}

/** Columns of few names, the last ones first, as targets often stand last; of a table without them its numbers. */
function targetsOf({ columns }: Table): string[] {
  const few = columns.filter((column) =>
    !isNumericColumn(column) && column.categories.length >= 2 &&
    column.categories.length <= MAX_TARGET_CATEGORIES
  );
  const chosen = few.length > 0 ? few : columns.filter(isNumericColumn);
  return chosen.slice(-MAX_TARGETS).map(({ name }) => name);
}

function learned(
  name: string,
  { own, half, held, trained }: Record<"own" | "half" | "held" | "trained", Table>,
): LearnedColumn {
  const task = { target: name, test: held, reference: trained };
  const generated = learnColumn({ ...task, training: own });
  const data = learnColumn({ ...task, training: half });
  return {
    name,
    accuracy: { generated: generated.accuracy, data: data.accuracy },
    macroF1: { generated: generated.macroF1, data: data.macroF1 },
    majority: majorityOf(name, held),
  };
}

/** The share of the most frequent value; a quarter for numbers, which are predicted by quartile. */
function majorityOf(name: string, table: Table): number {
  const column = table.columns.find((each) => each.name === name)!;
  if (isNumericColumn(column)) return 0.25;
  const counts = new Map<number, number>();
  for (const code of column.codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return Math.max(...counts.values()) / table.rowCount;
}
