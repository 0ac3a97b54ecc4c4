/** How the tiles of a matrix product for GPUs (gemm_workgroup.ts) get from memory into workgroup memory. */
import type { GroupTile } from "../tuning.ts";
import { COMPONENT, floatType, listOf } from "./wgsl.ts";

/**
 * Where a tile of A (`[rows, terms]`) or of B (`[columns, terms]`) comes from. What depends on the
 * row, or column, alone is found once for the whole sum; what depends on the term once a tile.
 */
export interface TileSource {
  /** Which values lie side by side in memory: of four neighboring rows, of four terms, or neither. */
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

/** WGSL function that reads a number, or four, of a buffer, and gives zero where `inside` is false. */
export function guardedLoad(name: string, buffer: string, width: 1 | 4): string {
  const float = floatType(width);
  return `fn ${name}(index: u32, inside: bool) -> ${float} {
  return select(${float}(0.0), ${buffer}[select(0u, index / ${width}u, inside)], inside);
}`;
}

/** Threads of a workgroup along columns (x) and rows (y), and all of them. */
export function threadsOf(tile: GroupTile): { x: number; y: number; count: number } {
  const [x, y] = [tile.columns / tile.threadColumns, tile.rows / tile.threadRows];
  return { x, y, count: x * y * tile.slices };
}

/** How one operand's tile gets into workgroup memory. */
export interface TileLoader {
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
export function tileLoader(
  name: "a" | "b",
  source: TileSource,
  { extent, limit, first }: { extent: number; limit: string; first: string },
  tile: GroupTile,
): TileLoader {
  const { count } = threadsOf(tile);
  const rowsOfFour = extent / 4;
  const terms = source.fours === "terms" ? 4 : 1; // of a place
  const places = rowsOfFour * tile.depth / terms;
  const slots = listOf(Math.ceil(places / count), (slot) => ({
    id: `${name}${slot}`,
    place: `(t + ${slot * count}u)`,
    guard: (statements: string) =>
      (slot + 1) * count <= places
        ? statements
        : `if (t < ${places - slot * count}u) { ${statements} }`,
  }));
  // Neighboring threads read what lies side by side.
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
