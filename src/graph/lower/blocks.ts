/** Rules for kernels that move blocks of space into the batch and back. */
import { batchToSpaceShapes, spaceToBatchShapes } from "../trace/shape_rules_array.ts";
import { relabeled } from "./axes.ts";
import type { LoweringRule } from "./lowering.ts";
import { pad, slice } from "./selection.ts";

const spaceToBatch: LoweringRule = (lowering, node) => {
  const x = lowering.input(node, "x");
  const { paddings, split, perm, joined } = spaceToBatchShapes(x.shape, node.attributes);
  const padded = pad(lowering, x, paddings, { constant: 0 });
  return lowering.reshaped(relabeled(lowering.reshaped(padded, split), perm), joined);
};

const batchToSpace: LoweringRule = (lowering, node) => {
  const x = lowering.input(node, "x");
  const { split, perm, joined, begin, cropped } = batchToSpaceShapes(x.shape, node.attributes);
  const whole = lowering.reshaped(relabeled(lowering.reshaped(x, split), perm), joined);
  const windows = begin.map((first, axis) => ({
    axis,
    begin: first,
    end: first + cropped[axis],
    step: 1,
  }));
  return slice(lowering, whole, windows, cropped);
};

/** The rules by kernel name. */
export const blockRules: Record<string, LoweringRule> = {
  BatchToSpaceND: batchToSpace,
  SpaceToBatchND: spaceToBatch,
};
