/**
 * Which family of tiles the matrix kernels use and how large the tiles are. A software adapter pays
 * for workgroup memory and barriers and gains nothing: there each thread keeps a large tile in
 * registers. A GPU wants tiles in workgroup memory, shared by many threads.
 *
 * Measured on Mesa's llvmpipe (two cores), [256, 1024] x [1024, 1024]: registers 16x16 reach 13
 * GFLOP/s, the best tile in workgroup memory 9, TensorFlow.js's kernels 1 to 3.
 */

/** Sizes of tiles and when to split the sum of a product. */
export interface KernelTuning {
  /** Where tiles are kept. */
  family: "registers" | "workgroup";
  /** Rows and columns of a thread's tile (multiples of 4), for large and small matrices. */
  threadTile: { rows: number; columns: number };
  /** Rows and columns of a workgroup's tile, and the depth that is loaded at once. */
  groupTile: { rows: number; columns: number; depth: number };
  /** The sum is split among threads until there are so many tiles... */
  enoughTiles: number;
  /** ...but each part keeps at least so many terms. */
  leastDepth: number;
  /** Reductions are split until there are so many threads. */
  enoughThreads: number;
  /** Elements (or fours of them) that a thread of an elementwise kernel computes at most. */
  mostElements: number;
}

/** For adapters that compute on the CPU. */
export const SOFTWARE_TUNING: KernelTuning = {
  family: "registers",
  threadTile: { rows: 16, columns: 16 },
  groupTile: { rows: 32, columns: 32, depth: 16 },
  enoughTiles: 128,
  leastDepth: 64,
  enoughThreads: 256,
  mostElements: 4,
};

/** For GPUs: many more threads are needed to fill one. */
export const GPU_TUNING: KernelTuning = {
  family: "workgroup",
  threadTile: { rows: 8, columns: 8 },
  groupTile: { rows: 64, columns: 64, depth: 16 },
  enoughTiles: 256,
  leastDepth: 64,
  enoughThreads: 16384,
  mostElements: 1,
};

/** Into how many parts to split a sum of `depth` terms when there are `tiles` tiles. A power of 2. */
export function chooseSplits(tuning: KernelTuning, tiles: number, depth: number): number {
  let splits = 1;
  while (tiles * splits < tuning.enoughTiles && depth / splits >= 2 * tuning.leastDepth) {
    splits *= 2;
  }
  return Math.min(splits, 64);
}
