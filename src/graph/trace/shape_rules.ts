/**
 * For each kernel that can be traced, the shapes and types of its outputs. This table is also the list
 * of what is supported.
 */
import { arithmeticShapeRules } from "./shape_rules_math.ts";
import { arrayShapeRules } from "./shape_rules_array.ts";
import { imageShapeRules } from "./shape_rules_image.ts";
import type { ShapeRule } from "./shape_rule.ts";

/** The rules by kernel name. */
export const SHAPE_RULES: Readonly<Record<string, ShapeRule>> = {
  ...arithmeticShapeRules,
  ...arrayShapeRules,
  ...imageShapeRules,
};

/** The names of all kernels that can be traced. */
export function traceableKernels(): string[] {
  return [...Object.keys(SHAPE_RULES), "Fill", "Identity", "OnesLike", "ZerosLike"].sort();
}
