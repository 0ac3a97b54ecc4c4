/**
 * Matrix product for GPUs: a workgroup computes a tile of the result, its operands pass through
 * workgroup memory, and each thread keeps a small part in registers. The operands come from WGSL
 * functions, so that a convolution is the same program (an implicit matrix product).
 *
 * While a tile is multiplied the next one is on its way from memory to registers; two tiles of each
 * operand alternate in workgroup memory, so one barrier a tile is enough.
 */
import type { GroupTile } from "../tuning.ts";
import { spread } from "../workgroups.ts";
import { threadsOf, tileLoader, type TileSource } from "./tile_loader.ts";
import { COMPONENT, each } from "./wgsl.ts";

/** What the program multiplies, and its tile. */
export interface WorkgroupGemm {
  /** Bindings, the uniform block and the functions. */
  declarations: string;
  /** WGSL statements at the start of each thread; may use `z`, the workgroup's z, and `groups`. */
  setup: string;
  /**
   * WGSL expressions of the result's rows and columns, and of the first and last term; the same for
   * all threads of a workgroup, for there is a barrier between tiles of terms.
   */
  sizes: { rows: string; columns: string; from: string; to: string };
  a: TileSource;
  b: TileSource;
  /** WGSL statement that stores `value`, a vector of columns from column `n` on, in row `m`. */
  store: { width: 1 | 4; statement: string };
  tile: GroupTile;
}

/** The most terms in one iteration of the inner loop. */
const UNROLLED = 8;

/**
 * The program. Dispatch: x and y over tiles, row after row of them, z as `setup` takes it.
 *
 * Tiles are kept as vectors of four neighboring rows (or columns), so that a thread reads 16 bytes at
 * once. Thread (x, y) of a workgroup has every `threads y`-th four of rows from the y-th on, and
 * columns alike.
 */
export function workgroupGemmCode(gemm: WorkgroupGemm): string {
  const { declarations, setup, sizes, store, tile } = gemm;
  const threads = threadsOf(tile);
  const rowFours = tile.threadRows / 4;
  const columnFours = tile.threadColumns / 4;
  const a = tileLoader("a", gemm.a, { extent: tile.rows, limit: sizes.rows, first: "m0" }, tile);
  const b = tileLoader(
    "b",
    gemm.b,
    { extent: tile.columns, limit: sizes.columns, first: "n0" },
    tile,
  );
  const inner = (kk: string) =>
    `{
      ${
      each(
        rowFours,
        (i) => `let a${i} = tile_a[old_a + (${kk}) * ${tile.rows / 4}u + ${i * threads.y}u + y];`,
      )
    }
      ${
      each(
        columnFours,
        (j) =>
          `let b${j} = tile_b[old_b + (${kk}) * ${tile.columns / 4}u + ${j * threads.x}u + x];`,
      )
    }
      ${
      each(
        tile.threadRows,
        (i) => each(columnFours, (j) => `c${i}_${j} += a${i >> 2}.${COMPONENT[i & 3]} * b${j};`),
      )
    }
      }`;
  const terms = tile.depth / tile.slices;
  const unrolled = Math.min(UNROLLED, terms);
  const stored = (value: string, column: string) =>
    `{ let n = ${column}; let value = ${value}; if (n < ${sizes.columns}) { ${store.statement} } }`;
  return `
${declarations}
var<workgroup> tile_a: array<vec4<f32>, ${2 * a.size}>;
var<workgroup> tile_b: array<vec4<f32>, ${2 * b.size}>;
@compute @workgroup_size(${threads.count})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) t: u32,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let x = t % ${threads.x}u;
  let y = t / ${threads.x}u % ${threads.y}u;
  let slice = ${tile.slices > 1 ? `t / ${threads.x * threads.y}u` : "0u"};
  let z = group.z;
  ${setup}
  let across = (${sizes.columns} + ${tile.columns - 1}u) / ${tile.columns}u; // tiles in a row
  let number = group.y * groups.x + group.x;
  let m0 = number / across * ${tile.rows}u;
  let n0 = number % across * ${tile.columns}u;
  ${
    each(
      tile.threadRows,
      (i) => each(columnFours, (j) => `var c${i}_${j} = vec4<f32>(0.0);`),
    )
  }
  ${a.prepare}
  ${b.prepare}
  var k0 = ${sizes.from};
  ${a.load(sizes.to)}
  ${b.load(sizes.to)}
  var old_a = 0u;
  var old_b = 0u;
  ${a.store("0u")}
  ${b.store("0u")}
  workgroupBarrier();
  while (k0 < ${sizes.to}) {
    k0 += ${tile.depth}u;
    if (k0 < ${sizes.to}) {
      ${a.load(sizes.to)}
      ${b.load(sizes.to)}
    }
    for (var kk = slice * ${terms}u; kk < (slice + 1u) * ${terms}u; kk += ${unrolled}u) {
      ${each(unrolled, (step) => inner(`kk + ${step}u`))}
    }
    old_a = ${a.size}u - old_a;
    old_b = ${b.size}u - old_b;
    ${a.store("old_a")}
    ${b.store("old_b")}
    workgroupBarrier();
  }
  ${tile.slices > 1 ? addSlices(tile) : ""}
  ${
    each(tile.threadRows, (i) =>
      `{ let m = m0 + ${4 * threads.y * (i >> 2) + (i & 3)}u + y * 4u;
    if (m < ${sizes.rows}) {
    ${
        each(columnFours, (j) => {
          const column = `n0 + ${4 * threads.x * j}u + x * 4u`;
          return store.width === 4
            ? stored(`c${i}_${j}`, column)
            : each(4, (q) => stored(`c${i}_${j}.${COMPONENT[q]}`, `${column} + ${q}u`));
        })
      }
    } }`)
  }
}`;
}

/** Statements after which the first slice has the sums of all, through a tile's memory. */
function addSlices(tile: GroupTile): string {
  const { x, y } = threadsOf(tile);
  const columnFours = tile.threadColumns / 4;
  const fours = tile.threadRows * columnFours; // of a thread
  const memory = tile.rows >= tile.columns ? "tile_a" : "tile_b";
  const room = Math.max(tile.rows, tile.columns) * tile.depth / 2;
  if ((tile.slices - 1) * x * y * fours > room) {
    throw new RangeError(`The sums of ${tile.slices} slices need more memory than their tile has`);
  }
  const sums = (action: (sum: string, place: number) => string) =>
    each(
      tile.threadRows,
      (i) => each(columnFours, (j) => action(`c${i}_${j}`, i * columnFours + j)),
    );
  const at = (slice: string, place: number) =>
    `${memory}[((${slice} - 1u) * ${x * y}u + y * ${x}u + x) * ${fours}u + ${place}u]`;
  return `if (slice > 0u) {
    ${sums((sum, place) => `${at("slice", place)} = ${sum};`)}
  }
  workgroupBarrier();
  if (slice > 0u) { return; }
  for (var other = 1u; other < ${tile.slices}u; other++) {
    ${sums((sum, place) => `${sum} += ${at("other", place)};`)}
  }`;
}

/** Workgroups along x and y for a result of these sizes. */
export function workgroupGemmGroups(
  tile: { rows: number; columns: number },
  rows: number,
  columns: number,
): [number, number] {
  const [x, y] = spread(Math.ceil(columns / tile.columns) * Math.ceil(rows / tile.rows));
  return [x, y];
}
