/** How a matrix product is cut into tiles, and its program for them. */
import type { GanforgeWebGpuBackend } from "../backend.ts";
import { chooseSplits, ofFamily, planGemm } from "../tuning.ts";
import { packScalars } from "../uniforms.ts";
import { workgroupGemmCode, workgroupGemmGroups } from "./gemm_workgroup.ts";
import { REGISTER_THREADS, registerMatmulCode } from "./matmul_registers.ts";
import { guardedLoad, type TileSource } from "./tile_loader.ts";
import { floatType, storage, uniforms, vectorWidth } from "./wgsl.ts";
import type { Dispatch } from "../work.ts";

/** One product, or a batch of them. */
export interface Product {
  /** Rows of the result. */
  M: number;
  /** Columns of the result. */
  N: number;
  /** Terms of each sum. */
  K: number;
  /** A is stored `[K, M]`. */
  transposeA: boolean;
  /** B is stored `[N, K]`. */
  transposeB: boolean;
  /** How many products. */
  batch: number;
  /** Numbers from one matrix of the batch to the next; 0 where all use the same. */
  strideA: number;
  /** The same in B. */
  strideB: number;
}

/** A dispatch without its buffers; the sum may be in parts. */
export type PlannedProduct = Omit<Dispatch, "reads" | "writes"> & { parts: number };

/** Products of at most this many rows count as short. */
const SHORT = 64;

function labelOf({ transposeA, transposeB }: Product): string {
  return `matmul${transposeA ? "T" : "N"}${transposeB ? "T" : "N"}`;
}

/** By tiles in registers. */
export function registerProduct(
  backend: GanforgeWebGpuBackend,
  product: Product,
): PlannedProduct {
  const { M, N, K, transposeA, transposeB, batch } = product;
  const tuning = ofFamily(backend.tuning, "registers");
  const fours = { m: M % 4 === 0, n: N % 4 === 0, k: K % 4 === 0 };
  const columns = Math.min(tuning.threadTile.columns, fours.n ? N : Math.min(N, 4));
  const width = fours.n && columns % 4 ? columns - columns % 4 : columns;
  const tilesN = Math.ceil(N / width);
  const tilesOf = (r: number) => Math.ceil(M / r) * tilesN * batch;
  let rows = evenRows(M, tuning.threadTile.rows * (acrossSum(product) ? 2 : 1));
  while (tilesOf(rows) < tuning.targetTiles / 4 && rows > 4) rows = Math.max(4, rows / 2 & ~3);
  const parts = chooseSplits(tuning, tilesOf(rows), K);
  const depth = Math.ceil(K / parts / 4) * 4;
  const tilesM = Math.ceil(M / rows);
  // Where A is short, neighbors take its rows, so that B comes through the caches once.
  const order = M <= SHORT ? [1, tilesM] : [tilesN, 1];
  const code = registerMatmulCode({ transposeA, transposeB, fours, rows, columns: width });
  const label = labelOf(product);
  return {
    label,
    pipeline: backend.pipeline(label, code),
    uniforms: packScalars([
      M,
      N,
      K,
      depth,
      tilesM,
      tilesN,
      ...order,
      parts,
      product.strideA,
      product.strideB,
    ]),
    workgroups: [Math.ceil(tilesM * tilesN / REGISTER_THREADS), 1, batch * parts],
    parts,
  };
}

/** Both operands are read across the sum: its code is short, which leaves room for a larger tile. */
function acrossSum({ transposeA, transposeB, M, N }: Product): boolean {
  return transposeA && !transposeB && M % 4 === 0 && N % 4 === 0;
}

/** Rows of a tile: at most `most`, a multiple of 4, and about as many in the last tile as in others. */
function evenRows(M: number, most: number): number {
  return Math.ceil(M / Math.ceil(M / most) / 4) * 4;
}

/** By tiles in workgroup memory. */
export function workgroupProduct(
  backend: GanforgeWebGpuBackend,
  product: Product,
): PlannedProduct {
  const { M, N, K, transposeA, transposeB, batch } = product;
  const { tile, parts } = planGemm(ofFamily(backend.tuning, "workgroup"), {
    rows: M,
    columns: N,
    terms: K,
    batch,
  });
  const [x, y] = workgroupGemmGroups(tile, M, N);
  const depth = Math.ceil(K / parts / 4) * 4;
  const a = operand("A", { isAcross: transposeA, extent: M, terms: K });
  const b = operand("B", { isAcross: !transposeB, extent: N, terms: K });
  const width = vectorWidth(N);
  const code = workgroupGemmCode({
    declarations: `
${storage({ A: a.type, B: b.type }, { C: floatType(width) })}
${uniforms(["M", "N", "K", "depth", "parts", "strideA", "strideB"], 3)}
var<private> first_A: u32; // of the matrices at hand
var<private> first_B: u32;
${a.functions("M")}
${b.functions("N")}`,
    setup: `
let batch = z / u.parts;
let part = z % u.parts;
first_A = batch * u.strideA;
first_B = batch * u.strideB;
let end = min(u.K, (part + 1u) * u.depth);
let out = (part * (groups.z / u.parts) + batch) * u.M * u.N;`,
    sizes: { rows: "u.M", columns: "u.N", from: "part * u.depth", to: "end" },
    a: a.source,
    b: b.source,
    store: { width, statement: `C[(out + m * u.N + n) / ${width}u] = value;` },
    tile,
  });
  const label = labelOf(product);
  return {
    label,
    pipeline: backend.pipeline(label, code),
    uniforms: packScalars([M, N, K, depth, parts, product.strideA, product.strideB]),
    workgroups: [x, y, batch * parts],
    parts,
  };
}

/** How tiles of a stored matrix are loaded; `isAcross`: neighbors in memory are rows of the tile. */
function operand(
  buffer: "A" | "B",
  { isAcross, extent, terms }: { isAcross: boolean; extent: number; terms: number },
): { type: string; source: TileSource; functions(extentName: string): string } {
  const width = vectorWidth(isAcross ? extent : terms);
  const [row, term] = [`row_${buffer}`, `term_${buffer}`];
  return {
    type: floatType(width),
    source: {
      fours: width === 1 ? "none" : isAcross ? "rows" : "terms",
      row,
      term,
      value: `value_${buffer}`,
    },
    functions: (extentName) => `
${guardedLoad(`load_${buffer}`, buffer, width)}
fn ${row}(i: u32) -> u32 { return first_${buffer} + i${isAcross ? "" : " * u.K"}; }
fn ${term}(k: u32) -> u32 { return k${isAcross ? ` * u.${extentName}` : ""}; }
fn value_${buffer}(row: u32, term: u32, inside: bool) -> ${floatType(width)} {
  return load_${buffer}(row + term, inside);
}`,
  };
}
