/** The passes that make a traced training step fast. */
import type { KernelGraph } from "../trace/kernel_graph.ts";
import { recognizeBlockSums } from "./block_sums.ts";
import { fuseBiases } from "./fuse_bias.ts";
import { recognizeKeepMasks } from "./keep_masks.ts";
import { mergeUpsampledConvolutions } from "./upsampled_conv.ts";

/** Runs all passes. The graph must be used no more: kernels that stay are changed in place. */
export function speedUp(graph: KernelGraph): KernelGraph {
  const recognized = recognizeKeepMasks(recognizeBlockSums(graph));
  return fuseBiases(mergeUpsampledConvolutions(recognized));
}
