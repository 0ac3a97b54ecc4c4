/**
 * Matrix product for GPUs: a workgroup computes a tile of the result, its operands pass through
 * workgroup memory, and each thread keeps a small part in registers. The operands come from WGSL
 * functions, so that a convolution is the same program (an implicit matrix product).
 *
 * While a tile is multiplied the next one is on its way from memory to registers; two tiles of each
 * operand alternate in workgroup memory, so one barrier a tile is enough.
 */
import { spread } from "../expression_program.ts";
import type { GroupTile } from "../tuning.ts";
import { COMPONENT, each, floatType, range } from "./wgsl.ts";

/**
 * Where a tile of A (`[rows, terms]`) or of B (`[columns, terms]`) comes from. What depends on the
 * row, or column, alone is found once for the whole sum; what depends on the term once a tile.
 */
export interface TileSource {
  /** Which numbers lie side by side in memory: of four neighbouring rows, of four terms, or neither. */
  fours: "rows" | "terms" | "none";
  /** WGSL function of a row: what `value` needs of it. */
  row: string;
  /** WGSL function of a term: what `value` needs of it. */
  term: string;
  /**
   * WGSL function of those two and of whether they are inside: the number, or the four, and zero
   * outside (see {@linkcode guardedLoad}).
   */
  value: string;
}

/** What the program multiplies, and its tile. */
export interface WorkgroupGemm {
  /** Bindings, the uniform block and the functions. */
  declarations: string;
  /** WGSL statements at the start of each thread; may use `z`, the workgroup's z. */
  setup: string;
  /** WGSL expressions of the result's rows and columns, and of the first and last term. */
  sizes: { rows: string; columns: string; from: string; to: string };
  a: TileSource;
  b: TileSource;
  /** WGSL statement that stores `value`, so many columns from column `n` on, in row `m`. */
  store: { width: 1 | 4; statement: string };
  tile: GroupTile;
}

/** WGSL function that reads a number, or four, of a buffer, and gives zero where `inside` is false. */
export function guardedLoad(name: string, buffer: string, width: 1 | 4): string {
  const float = floatType(width);
  return `fn ${name}(index: u32, inside: bool) -> ${float} {
  return select(${float}(0.0), ${buffer}[select(0u, index / ${width}u, inside)], inside);
}`;
}

/**
 * The program. Dispatch: x and y over tiles, row after row of them, z as `setup` takes it.
 *
 * Tiles are kept as vectors of four neighbouring rows (or columns), so that a thread reads 16 bytes at
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
  const unrolled = Math.min(tile.unrolled, terms);
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
  let slice = t / ${threads.x * threads.y}u;
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

/** Threads of a workgroup along columns (x) and rows (y), and all of them. */
function threadsOf(tile: GroupTile): { x: number; y: number; count: number } {
  const [x, y] = [tile.columns / tile.threadColumns, tile.rows / tile.threadRows];
  return { x, y, count: x * y * tile.slices };
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

/** How one operand's tile gets into workgroup memory. */
interface TileLoader {
  /** Fours in the tile. */
  size: number;
  /** Statements before the first tile. */
  prepare: string;
  /** Statements that bring the tile at term `k0` into registers. */
  load(end: string): string;
  /** Statements that put it into workgroup memory, from the four at `offset` on. */
  store(offset: string): string;
}

/**
 * A thread loads the same places of every tile: fours of rows at a term, or, where terms lie side by
 * side, blocks of four rows by four terms, which it turns.
 */
function tileLoader(
  name: "a" | "b",
  source: TileSource,
  { extent, limit, first }: { extent: number; limit: string; first: string },
  tile: GroupTile,
): TileLoader {
  const { count } = threadsOf(tile);
  const rowsOfFour = extent / 4;
  const terms = source.fours === "terms" ? 4 : 1; // of a place
  const places = rowsOfFour * tile.depth / terms;
  const slots = range(Math.ceil(places / count), (slot) => ({
    id: `${name}${slot}`,
    place: `(t + ${slot * count}u)`,
    guard: (statements: string) =>
      (slot + 1) * count <= places
        ? statements
        : `if (t < ${places - slot * count}u) { ${statements} }`,
  }));
  // Neighbouring threads read what lies side by side.
  const [rowOf, termOf] = source.fours === "rows"
    ? [(p: string) => `${p} % ${rowsOfFour}u`, (p: string) => `${p} / ${rowsOfFour}u`]
    : [
      (p: string) => `${p} / ${tile.depth / terms}u`,
      (p: string) => `${p} % ${tile.depth / terms}u * ${terms}u`,
    ];
  const rows = source.fours === "rows" ? [0] : [0, 1, 2, 3]; // that a place asks for by themselves
  const held = source.fours === "terms" ? [0, 1, 2, 3] : [0]; // vectors of a place in registers
  return {
    size: rowsOfFour * tile.depth,
    prepare: slots.map(({ id, place }) => `
  let row_${id} = ${rowOf(place)};
  let term_${id} = ${termOf(place)};
  ${
      rows.map((q) => `
  let inside_${id}_${q} = ${first} + row_${id} * 4u + ${q}u < ${limit};
  let at_${id}_${q} = ${source.row}(${first} + row_${id} * 4u + ${q}u);`).join("")
    }
  ${held.map((q) => `var held_${id}_${q} = vec4<f32>(0.0);`).join(" ")}`).join(""),
    load: (end) =>
      slots.map(({ id, guard }) => {
        const value = (q: number) =>
          `${source.value}(at_${id}_${q}, term, inside_${id}_${q} && inside)`;
        const loaded = {
          rows: () => `held_${id}_0 = ${value(0)};`,
          terms: () => rows.map((q) => `held_${id}_${q} = ${value(q)};`).join("\n"),
          none: () => `held_${id}_0 = vec4<f32>(${rows.map(value).join(", ")});`,
        }[source.fours]();
        return guard(`{
      let inside = k0 + term_${id} < ${end};
      let term = ${source.term}(k0 + term_${id});
      ${loaded}
    }`);
      }).join("\n"),
    store: (offset) =>
      slots.map(({ id, guard }) =>
        guard(
          held.map((q) => {
            const value = source.fours === "terms"
              ? `vec4<f32>(${rows.map((row) => `held_${id}_${row}.${COMPONENT[q]}`).join(", ")})`
              : `held_${id}_0`;
            return `tile_${name}[${offset} + (term_${id} + ${q}u) * ${rowsOfFour}u + row_${id}] = ` +
              `${value};`;
          }).join("\n"),
        )
      ).join("\n"),
  };
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
