/**
 * Matrix product for GPUs: a workgroup computes a tile of the result, its operands pass through
 * workgroup memory, and each thread keeps a small part in registers. The operands come from WGSL
 * functions, so that a convolution is the same program (an implicit matrix product).
 */
import { each, range } from "./wgsl.ts";

/** What the program multiplies, and its tile. */
export interface WorkgroupGemm {
  /** Bindings, the uniform block `u` and helper functions. */
  declarations: string;
  /** WGSL statements at the start of each thread; may use `z`, the workgroup's z. */
  setup: string;
  /** WGSL expressions of the result's rows and columns, and of the first and last term. */
  sizes: { rows: string; columns: string; from: string; to: string };
  /** WGSL expression for A at row `m` and term `k`; only asked inside the bounds. */
  a: string;
  /** WGSL expression for B at term `k` and column `n`; only asked inside the bounds. */
  b: string;
  /** WGSL statement that stores `value` at row `m`, column `n`. */
  store: string;
  /** Neighbouring threads read neighbouring terms of A (its rows are contiguous), else rows. */
  aContiguousInTerms: boolean;
  /** The same for B: neighbouring terms, else columns. */
  bContiguousInTerms: boolean;
  /** The workgroup's tile: rows and columns multiples of 32, depth of 8. */
  tile: { rows: number; columns: number; depth: number };
}

/** Threads along rows and along columns of a tile. */
const SIDE = 8;

/** The program. Dispatch: x over tiles of columns, y over tiles of rows, z as `setup` takes it. */
export function workgroupGemmCode(gemm: WorkgroupGemm): string {
  const { declarations, setup, sizes, a, b, store, tile } = gemm;
  const threads = SIDE * SIDE;
  const rows = tile.rows / SIDE;
  const columns = tile.columns / SIDE;
  // Thread (x, y) has rows y, y + 8, ... and columns x, x + 8, ...: neighbours write neighbours.
  const load = (name: string, extent: number, contiguous: boolean, body: string) => `
    for (var e = t; e < ${extent * tile.depth}u; e += ${threads}u) {
      ${
    contiguous
      ? `let kk = e % ${tile.depth}u; let xx = e / ${tile.depth}u;`
      : `let xx = e % ${extent}u; let kk = e / ${extent}u;`
  }
      ${body}
      ${name}[kk * ${extent}u + xx] = value;
    }`;
  return `
${declarations}
var<workgroup> tileA: array<f32, ${tile.rows * tile.depth}>;
var<workgroup> tileB: array<f32, ${tile.columns * tile.depth}>;
@compute @workgroup_size(${SIDE}, ${SIDE})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let z = group.z;
  let m0 = group.y * ${tile.rows}u;
  let n0 = group.x * ${tile.columns}u;
  ${setup}
  ${each(rows, (i) => each(columns, (j) => `var c${i}_${j} = 0.0;`))}
  for (var k0 = ${sizes.from}; k0 < ${sizes.to}; k0 += ${tile.depth}u) {
    ${
    load(
      "tileA",
      tile.rows,
      gemm.aContiguousInTerms,
      `let k = k0 + kk; let m = m0 + xx; var value = 0.0;
      if (k < ${sizes.to} && m < ${sizes.rows}) { value = ${a}; }`,
    )
  }
    ${
    load(
      "tileB",
      tile.columns,
      gemm.bContiguousInTerms,
      `let k = k0 + kk; let n = n0 + xx; var value = 0.0;
      if (k < ${sizes.to} && n < ${sizes.columns}) { value = ${b}; }`,
    )
  }
    workgroupBarrier();
    for (var kk = 0u; kk < ${tile.depth}u; kk++) {
      ${each(rows, (i) => `let a${i} = tileA[kk * ${tile.rows}u + local.y + ${SIDE * i}u];`)}
      ${each(columns, (j) => `let b${j} = tileB[kk * ${tile.columns}u + local.x + ${SIDE * j}u];`)}
      ${each(rows, (i) => each(columns, (j) => `c${i}_${j} += a${i} * b${j};`))}
    }
    workgroupBarrier();
  }
  ${
    range(rows, (i) =>
      range(columns, (j) =>
        `{ let m = m0 + local.y + ${SIDE * i}u; let n = n0 + local.x + ${SIDE * j}u;
    let value = c${i}_${j};
    if (m < ${sizes.rows} && n < ${sizes.columns}) { ${store} } }`)).flat().join("\n")
  }
}`;
}

/** Workgroups along x and y for a result of these sizes. */
export function workgroupGemmGroups(
  tile: { rows: number; columns: number },
  rows: number,
  columns: number,
): [number, number] {
  return [Math.ceil(columns / tile.columns), Math.ceil(rows / tile.rows)];
}
