/** The passes that make a traced generator small before it is written. */
import type { KernelGraph } from "../trace/kernel_graph.ts";
import { flattenProducts, joinReshapes, splitActivations } from "./canonical.ts";
import { permuteDenseWeights } from "./dense_reshape.ts";
import { foldAffine } from "./fold_affine.ts";
import { recognizeGroupedConvolutions } from "./group_conv.ts";
import { recognizePixelShuffle } from "./pixel_shuffle.ts";

const PASSES = [
  // While shapes are as they were written.
  recognizePixelShuffle,
  recognizeGroupedConvolutions,
  flattenProducts,
  splitActivations,
  joinReshapes,
  // Before the weights' order changes.
  foldAffine,
  permuteDenseWeights,
];

/** Runs all passes. The graph must be used no more: kernels that stay are changed in place. */
export function simplify(graph: KernelGraph): KernelGraph {
  return PASSES.reduce((result, pass) => pass(result), graph);
}
