/**
 * Matrix product for GPUs: a workgroup computes a tile of the result, its operands pass through
 * workgroup memory, and each thread keeps a small part in registers. The operands come from WGSL
 * functions, so that a convolution is the same program (an implicit matrix product).
 */
import { COMPONENT, each } from "./wgsl.ts";

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
  /** Where rows come in fours: a vec4 expression for A at rows `m` to `m + 3` and term `k`. */
  aFour?: string;
  /** Where columns come in fours: the same for B at term `k` and columns `n` to `n + 3`. */
  bFour?: string;
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

/**
 * The program. Dispatch: x over tiles of columns, y over tiles of rows, z as `setup` takes it.
 *
 * Tiles are kept as vectors of four neighbouring rows (or columns), so that a thread reads 16 bytes at
 * once; thread (x, y) has rows 4 y to 4 y + 3 of each 32, and columns 4 x to 4 x + 3.
 */
export function workgroupGemmCode(gemm: WorkgroupGemm): string {
  const { declarations, setup, sizes, a, b, store, tile } = gemm;
  const rows = tile.rows / (4 * SIDE); // vectors of a thread
  const columns = tile.columns / (4 * SIDE);
  const rowOf = (i: number) => `m0 + ${32 * (i >> 2) + (i & 3)}u + local.y * 4u`;
  const columnOf = (j: number, q: number) => `n0 + ${32 * j + q}u + local.x * 4u`;
  return `
${declarations}
var<workgroup> tileA: array<vec4<f32>, ${tile.rows * tile.depth / 4}>;
var<workgroup> tileB: array<vec4<f32>, ${tile.columns * tile.depth / 4}>;
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
  ${each(4 * rows, (i) => each(columns, (j) => `var c${i}_${j} = vec4<f32>(0.0);`))}
  for (var k0 = ${sizes.from}; k0 < ${sizes.to}; k0 += ${tile.depth}u) {
    ${
    loadTile({
      name: "tileA",
      extent: tile.rows,
      depth: tile.depth,
      contiguousInTerms: gemm.aContiguousInTerms,
      index: "m",
      first: "m0",
      limits: { index: sizes.rows, term: sizes.to },
      value: a,
      four: gemm.aFour,
    })
  }
    ${
    loadTile({
      name: "tileB",
      extent: tile.columns,
      depth: tile.depth,
      contiguousInTerms: gemm.bContiguousInTerms,
      index: "n",
      first: "n0",
      limits: { index: sizes.columns, term: sizes.to },
      value: b,
      four: gemm.bFour,
    })
  }
    workgroupBarrier();
    for (var kk = 0u; kk < ${tile.depth}u; kk++) {
      ${each(rows, (i) => `let a${i} = tileA[kk * ${tile.rows / 4}u + ${SIDE * i}u + local.y];`)}
      ${
    each(columns, (j) => `let b${j} = tileB[kk * ${tile.columns / 4}u + ${SIDE * j}u + local.x];`)
  }
      ${
    each(
      4 * rows,
      (i) => each(columns, (j) => `c${i}_${j} += a${i >> 2}.${COMPONENT[i & 3]} * b${j};`),
    )
  }
    }
    workgroupBarrier();
  }
  ${
    each(4 * rows, (i) =>
      each(columns, (j) =>
        each(4, (q) =>
          `{ let m = ${rowOf(i)}; let n = ${columnOf(j, q)}; let value = c${i}_${j}.${COMPONENT[q]};
    if (m < ${sizes.rows} && n < ${sizes.columns}) { ${store} } }`)))
  }
}`;
}

/** WGSL that fills a tile, four neighbouring rows (or columns) a thread at a time. */
function loadTile(
  { name, extent, depth, contiguousInTerms, index, first, limits, value, four }: {
    name: string;
    extent: number;
    depth: number;
    contiguousInTerms: boolean;
    /** What `value` calls its row or column. */
    index: "m" | "n";
    first: string;
    limits: { index: string; term: string };
    value: string;
    /** Four values at once, where there is such an expression. */
    four?: string;
  },
): string {
  const fours = extent / 4;
  const one = (q: number) =>
    `{ let ${index} = ${first} + xx * 4u + ${q}u;
      if (k < ${limits.term} && ${index} < ${limits.index}) { four.${COMPONENT[q]} = ${value}; } }`;
  const load = four
    ? `let ${index} = ${first} + xx * 4u;
      if (k < ${limits.term} && ${index} < ${limits.index}) { four = ${four}; }`
    : each(4, one);
  return `for (var e = t; e < ${fours * depth}u; e += ${SIDE * SIDE}u) {
      ${
    contiguousInTerms
      ? `let kk = e % ${depth}u; let xx = e / ${depth}u;`
      : `let xx = e % ${fours}u; let kk = e / ${fours}u;`
  }
      let k = k0 + kk;
      var four = vec4<f32>(0.0);
      ${load}
      ${name}[kk * ${fours}u + xx] = four;
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
