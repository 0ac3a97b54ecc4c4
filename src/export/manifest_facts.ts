/** What a generator's manifest says that follows from the generator and from how it is written. */
import { UserError } from "../errors.ts";
import type { ExportDtype } from "./dtypes.ts";
import type { GeneratorDescription, ManifestFacts } from "./generator_manifest.ts";
import type { GeneratorFacts } from "./traced_target.ts";
import type { WrittenGraph } from "./write_graph.ts";

/**
 * The self-test's tolerance for values of size 1: the rounding of deep networks, on any runtime. ONNX
 * Runtime's native build rounds what it multiplies with 8-bit weights to 8 bits too (0.05 for the preset
 * that it changes most).
 */
export const SELF_TEST_TOLERANCES: Record<ExportDtype, number> = {
  fp32: 1e-3,
  fp16: 5e-2,
  int8: 1e-1,
};

/** What a manifest says that follows from the generator itself. */
export function manifestFacts(
  generator: GeneratorFacts,
  { graph, outputShapes }: WrittenGraph,
  { description = {}, output, dtype }: {
    description?: GeneratorDescription;
    output?: "float" | "uint8";
    dtype: ExportDtype;
  },
): ManifestFacts {
  const { latentDimension, labelClasses: classCount, conditions } = generator;
  const outputName = generator.outputName!;
  const shape = outputShapes[outputName];
  const isImage = outputName === "image";
  if (output === "uint8" && !isImage) {
    throw new UserError(
      `Cannot write uint8: the generator makes points of ${shape.join(" x ")} values, not images`,
    );
  }
  const classes = description.classNames?.length;
  if (classCount === null && classes === undefined) {
    throw new UserError(
      "Cannot export a conditional generator without the classes: give classNames",
    );
  }
  if (classCount && classes !== undefined && classes !== classCount) {
    throw new UserError(
      `Cannot export: ${classes} class names are given, and the generator has ${classCount} classes`,
    );
  }
  const range = description.range === undefined ? isImage ? [-1, 1] : null : description.range;
  const tolerance = SELF_TEST_TOLERANCES[dtype];
  const isBytes = output === "uint8";
  return {
    latentDimension,
    conditions,
    classCount: classCount === undefined ? undefined : classCount ?? classes,
    output: {
      name: outputName,
      shape: isImage ? [shape[2], shape[0], shape[1]] : shape,
      dtype: isBytes ? "uint8" : "float32",
      range: isBytes ? [0, 255] : range && [range[0], range[1]],
    },
    graph,
    // In gray levels, one may be a matter of rounding.
    tolerance: isBytes ? 1 + Math.ceil(tolerance * 127.5) : tolerance,
  };
}
