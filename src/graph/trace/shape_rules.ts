/**
 * For each kernel that can be traced, the shapes and types of its outputs. This table is also the list
 * of what is supported.
 */
import { arithmeticShapeRules } from "./shape_rules_math.ts";
import { arrayShapeRules } from "./shape_rules_array.ts";
import { imageShapeRules } from "./shape_rules_image.ts";
import { ALL_REDUCE } from "../../tensor/all_reduce.ts";
import type { ShapeRule } from "./shape_rule.ts";

/** The rules by kernel name. */
export const SHAPE_RULES: Readonly<Record<string, ShapeRule>> = {
  ...arithmeticShapeRules,
  ...arrayShapeRules,
  ...imageShapeRules,
  // Of steps in several processes: they are cut there (see engine/onnx/step_segments.ts).
  [ALL_REDUCE]: ({ x }) => [{ shape: x.shape }],
};

/** The names of all kernels that can be traced. */
export function traceableKernels(): string[] {
  const kernels = Object.keys(SHAPE_RULES).filter((kernel) => kernel !== ALL_REDUCE);
  return [...kernels, "Fill", "Identity", "OnesLike", "ZerosLike"].sort();
}
