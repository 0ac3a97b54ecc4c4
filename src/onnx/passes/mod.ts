/** The passes that make a traced generator small before it is written. */
import type { KernelGraph } from "../trace/kernel_graph.ts";
import { permuteDenseWeights } from "./dense_reshape.ts";
import { foldAffine } from "./fold_affine.ts";
import { recognisePixelShuffle } from "./pixel_shuffle.ts";

/** Runs all passes. The graph must be used no more: kernels that stay are changed in place. */
export function simplify(graph: KernelGraph): KernelGraph {
  return permuteDenseWeights(foldAffine(recognisePixelShuffle(graph)));
}
