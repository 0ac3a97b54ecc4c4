/** From a target to the graph of its file: traced, made smaller, lowered, made to hold for any length. */
import { UserError } from "../errors.ts";
import { castInput, castOutput, scaleOutput } from "../graph/boundary.ts";
import { NCHW } from "../graph/lower/layout.ts";
import { lowerGraph } from "../graph/lower/lower.ts";
import type { OnnxGraph } from "../graph/onnx_graph.ts";
import { OpenAxisError } from "../graph/open/axes.ts";
import { compareTraces } from "../graph/open/compare_traces.ts";
import { generalize, type SizedGraph } from "../graph/open/generalize.ts";
import { simplify } from "../graph/passes/mod.ts";
import { toFloat16 } from "../graph/precision/float16_graph.ts";
import { toByteWeights } from "../graph/precision/int8.ts";
import type { ColumnUnits } from "./compare.ts";
import type { ExportDtype } from "./dtypes.ts";
import { LABEL } from "./target.ts";
import { type FileTarget, type TracedTarget, traceTarget } from "./traced_target.ts";

/** How a graph is written. */
export interface WriteOptions {
  /** The version of ONNX' operators. */
  opset: number;
  /** How weights are kept. */
  dtype: ExportDtype;
  /** How a generator's images leave the file. */
  output?: "float" | "uint8";
  /** The units of a sample's columns, where they are standardized. */
  columnUnits?: readonly ColumnUnits[];
}

/** A finished graph. */
export interface WrittenGraph extends Omit<TracedTarget, "traces"> {
  /** The graph. */
  graph: OnnxGraph;
}

/**
 * How often lengths are chosen: those that meet another dimension by chance may make graphs differ that are the
 * same. Traces that run different kernels do not come from that, and are refused at once.
 */
const ATTEMPTS = 2;

/**
 * Writes a target's graph.
 * @throws {UserError} when an operation cannot be exported, or not for any length of an open axis
 */
export function writeGraph(target: FileTarget, options: WriteOptions): WrittenGraph {
  let first: OpenAxisError | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { variants, ...traced } = writeVariants(target, options, attempt);
    try {
      return { ...traced, graph: finishGraph(generalize(variants), target, options) };
    } catch (error) {
      if (!(error instanceof OpenAxisError)) throw error;
      first ??= error;
    }
  }
  throw first;
}

/** Graphs that hold for some lengths each, and what was found while tracing. */
interface Variants extends Omit<TracedTarget, "traces"> {
  variants: SizedGraph[];
}

function writeVariants(target: FileTarget, options: WriteOptions, attempt: number): Variants {
  const { traces, ...traced } = traceTarget(target, attempt);
  const { generator } = target;
  const isImage = generator?.outputName === "image";
  const openLengths = compareTraces(traces);
  const variants = traces.map(({ graph, lengths }, index) => ({
    lengths,
    graph: lowerGraph(simplify(graph), {
      opset: options.opset,
      openLengths: openLengths[index],
      name: generator ? "generator" : "function",
      outputOrders: isImage ? { image: NCHW } : {},
    }).graph,
  }));
  return { ...traced, variants };
}

/** The edges of the file, and the precision of its weights. */
function finishGraph(
  general: OnnxGraph,
  { generator, translator }: FileTarget,
  options: WriteOptions,
): OnnxGraph {
  const isImage = generator?.outputName === "image";
  let graph = general;
  if (generator || translator) checkWeights(graph);
  if (generator?.labelClasses !== undefined) graph = castInput(graph, LABEL, "int64");
  if (isImage && options.output === "uint8") graph = castOutput(graph, "image", "uint8");
  if (options.dtype === "fp16") graph = toFloat16(graph);
  if (options.dtype === "int8") graph = toByteWeights(graph);
  if (options.columnUnits) {
    checkUnits(graph, options.columnUnits);
    graph = scaleOutput(graph, "sample", options.columnUnits);
  }
  return graph;
}

function checkUnits({ outputs: [output] }: OnnxGraph, units: readonly ColumnUnits[]): void {
  const shape = output.dims!.slice(1);
  const isUsable = output.name === "sample" && units.length === shape[0] &&
    units.every(({ mean, scale }) =>
      [mean, scale].every((value) => Number.isFinite(Math.fround(value))) && Math.fround(scale) > 0
    );
  if (isUsable) return;
  throw new UserError(
    `Cannot export with ${units.length} columnUnits: a sample has the shape [${
      shape.join(", ")
    }]; ` +
      "units are for the values of points, one each, of finite float32 and a scale above 0",
  );
}

/** A diverged network's images as bytes look like images. */
function checkWeights({ initializers }: OnnxGraph): void {
  for (const { name, dtype, data } of initializers) {
    if (dtype !== "float32" || !(data as Float32Array).some(Number.isNaN)) continue;
    throw new UserError(`Cannot export weight ${name}: it holds NaN, so the network has diverged`);
  }
}
