/**
 * A made table with a known joint distribution, for a run that needs no data: visits to a shop, in which
 * the kind of customer decides the rest, with missing values and a rare category.
 */
import { fillNormal, fillUniform, STREAMS } from "../random/counter_random.ts";
import type { Table } from "./columns.ts";

const KINDS = ["regular", "student", "tourist", "wholesale"];
/** How often each kind comes; wholesale is rare. */
const SHARES = [0.5, 0.3, 0.18, 0.02];
const MEAN_SPENT = [30, 12, 55, 400];
const STD_SPENT = [8, 3, 15, 60];
const MEAN_AGE = [45, 22, 38, 50];
const PAYMENTS = ["card", "cash", "invoice"];
/** Shares of the payments for each kind. */
const PAYS = [[0.7, 0.3, 0], [0.9, 0.1, 0], [0.5, 0.5, 0], [0.05, 0, 0.95]];
/** Share of members for each kind. */
const MEMBERS = [0.6, 0.4, 0.02, 0.9];
/** Share of visits whose age is not known. */
const MISSING_AGE = 0.1;
/** 2024-01-01 in days since 1970-01-01. */
const FIRST_DAY = 19_723;

/** Draws the table; row `i` depends on the seed and `i` alone. */
export function drawSyntheticTable(rowCount: number, seed: number): Table {
  const kinds = new Int32Array(rowCount);
  const spent = new Float64Array(rowCount);
  const ages = new Float64Array(rowCount);
  const items = new Float64Array(rowCount);
  const payments = new Int32Array(rowCount);
  const members = new Int32Array(rowCount);
  const days = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const address = { seed, stream: STREAMS.data + 2, step: row };
    const [a, b, c, d, e] = fillUniform(new Float32Array(5), address);
    const [n0, n1, n2] = fillNormal(new Float32Array(3), { ...address, stream: STREAMS.data + 3 });
    const kind = choose(SHARES, a);
    kinds[row] = kind;
    spent[row] = Math.round(Math.max(1, MEAN_SPENT[kind] + STD_SPENT[kind] * n0) * 100) / 100;
    // Who spends more buys more.
    items[row] = Math.max(1, Math.round(spent[row] / 8 + n1));
    ages[row] = d < MISSING_AGE ? NaN : Math.max(16, Math.round(MEAN_AGE[kind] + 4 * n2));
    payments[row] = choose(PAYS[kind], b);
    members[row] = c < MEMBERS[kind] ? 1 : 0;
    // Tourists come in summer.
    days[row] = FIRST_DAY + Math.floor(kind === 2 ? 150 + 90 * e : 365 * e);
  }
  return {
    rowCount,
    columns: [
      { name: "customer", kind: "category", categories: KINDS, codes: kinds },
      { name: "spent", kind: "number", decimals: 2, values: spent },
      { name: "items", kind: "integer", decimals: 0, values: items },
      { name: "age", kind: "integer", decimals: 0, values: ages },
      { name: "payment", kind: "category", categories: PAYMENTS, codes: payments },
      { name: "member", kind: "boolean", categories: ["no", "yes"], codes: members },
      { name: "visited", kind: "date", decimals: 0, values: days },
    ],
  };
}

/** The place whose share of [0, 1) a draw falls into. */
function choose(shares: readonly number[], draw: number): number {
  let reached = 0;
  const place = shares.findIndex((share) => {
    reached += share;
    return draw < reached;
  });
  return place < 0 ? shares.length - 1 : place;
}
