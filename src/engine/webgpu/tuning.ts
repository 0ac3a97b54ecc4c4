/**
 * Which family of tiles the matrix kernels use and how large the tiles are. A software adapter pays
 * for workgroup memory and barriers and gains nothing: there each thread keeps a large tile in
 * registers. A GPU wants tiles in workgroup memory, shared by many threads.
 *
 * Measured on Mesa's llvmpipe (two cores), [256, 1024] x [1024, 1024]: registers 16x16 reach 13
 * GFLOP/s, the best tile in workgroup memory 9, TensorFlow.js's kernels 1 to 3. The numbers for GPUs
 * come from whole steps and from bench/webgpu_tiles.ts on an NVIDIA H200 (bench/RESULTS.md); the
 * engine takes others (`WebGpuEngineOptions.tuning`).
 */

/** The tile of a workgroup: what it computes, and how its threads share that. */
export interface GroupTile {
  /** Rows and columns of the result: multiples of a thread's. */
  rows: number;
  columns: number;
  /** Terms of the sum that are in workgroup memory at a time: a power of 2, at least 4. */
  depth: number;
  /** Rows and columns of a thread: multiples of 4. */
  threadRows: number;
  threadColumns: number;
  /** The threads are so often there, each time with an equal share of the depth. */
  slices: number;
}

/** The tiles of workgroups, by what is multiplied. */
export interface GroupTiles {
  /** For products of at least `largeProducts` multiplications, at least a tile of results. */
  large: GroupTile;
  largeProducts: number;
  /** For wide results of no more rows than it has. */
  short: GroupTile;
  /** For all others, from wide to narrow: the narrowest that takes in all columns, or the widest. */
  usual: readonly GroupTile[];
}

/** When to split work among threads; what both families have. */
interface CommonTuning {
  /** A sum is split among threads, or workgroups, until there are this many tiles... */
  targetTiles: number;
  /** ...but each part keeps at least this many terms. */
  minDepth: number;
  /** Reductions are split until there are this many threads. */
  targetThreads: number;
  /** Elements (or fours of them) that a thread of an elementwise kernel computes at most. */
  maxElements: number;
  /** Elementwise operations and reductions in one dispatch at most. */
  maxMembers: number;
}

/** Tiles in registers. */
export interface RegisterTuning extends CommonTuning {
  family: "registers";
  /** Rows and columns of a thread's tile: multiples of 4. */
  threadTile: { rows: number; columns: number };
}

/** Tiles in workgroup memory. */
export interface GroupTuning extends CommonTuning {
  family: "workgroup";
  /** The tiles to choose from. */
  groupTiles: GroupTiles;
}

/** Where tiles are kept, their sizes, and when to split work. */
export type KernelTuning = RegisterTuning | GroupTuning;

/** A tuning that is known to be of a family. @throws Error when it is of the other */
export function ofFamily<F extends KernelTuning["family"]>(
  tuning: KernelTuning,
  family: F,
): Extract<KernelTuning, { family: F }> {
  if (tuning.family !== family) {
    throw new Error(`Cannot use tiles of the family ${family}: the tuning is for ${tuning.family}`);
  }
  return tuning as Extract<KernelTuning, { family: F }>;
}

/** From a tile's rows, columns and depth, and from a thread's rows and columns, and how often it is there. */
export function groupTile(
  [rows, columns, depth]: [number, number, number],
  [threadRows, threadColumns, slices = 1]: [number, number, number?],
): GroupTile {
  return { rows, columns, depth, threadRows, threadColumns, slices };
}

const GROUP_TILES: GroupTiles = {
  large: groupTile([128, 64, 8], [8, 8]),
  largeProducts: 2 ** 26,
  short: groupTile([32, 64, 16], [4, 4, 2]),
  usual: [
    groupTile([64, 32, 16], [4, 4]),
    groupTile([64, 16, 16], [4, 4]),
    groupTile([32, 8, 32], [4, 4, 8]),
    groupTile([32, 4, 32], [4, 4, 8]),
  ],
};

/** For adapters that compute on the CPU. */
export const SOFTWARE_TUNING: RegisterTuning = {
  family: "registers",
  threadTile: { rows: 16, columns: 16 },
  targetTiles: 128,
  minDepth: 64,
  targetThreads: 256,
  maxElements: 4,
  maxMembers: 1, // starting a dispatch costs nothing there
};

/** For GPUs: many more threads are needed to fill one. */
export const GPU_TUNING: GroupTuning = {
  family: "workgroup",
  groupTiles: GROUP_TILES,
  targetTiles: 256,
  minDepth: 32,
  targetThreads: 65536,
  maxElements: 1,
  maxMembers: 32,
};

/** Parts of a sum at most: the kernel that adds them up reads them all at once. */
export const MAX_PARTS = 32;

/** Into how many parts to split a sum of `depth` terms when there are `tiles` tiles. A power of 2. */
export function chooseSplits(tuning: KernelTuning, tiles: number, depth: number): number {
  let splits = 1;
  while (tiles * splits < tuning.targetTiles && depth / splits >= 2 * tuning.minDepth) {
    splits *= 2;
  }
  return Math.min(splits, MAX_PARTS);
}

/** A product in tiles: `parts` workgroups share each tile's sum. */
export interface GemmPlan {
  tile: GroupTile;
  parts: number;
}

/** Chooses a tile and parts for `batch` products of `[rows, terms]` and `[terms, columns]`. */
export function planGemm(
  tuning: GroupTuning,
  { rows, columns, terms, batch }: { rows: number; columns: number; terms: number; batch: number },
): GemmPlan {
  const { large, largeProducts, short, usual } = tuning.groupTiles;
  const isLarge = rows >= large.rows && columns >= large.columns &&
    rows * columns * terms * batch >= largeProducts;
  const isShort = rows <= short.rows && columns > usual[0].columns;
  const tile = isLarge
    ? large
    : isShort
    ? short
    : usual.findLast((narrow) => narrow.columns >= columns) ?? usual[0];
  const tiles = Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns) * batch;
  return { tile, parts: chooseSplits(tuning, tiles, terms) };
}
