/** From a traced graph to an ONNX graph: runs the rules of this folder over the kernels, in order. */
import { UserError } from "../../errors.ts";
import type { OnnxGraph, OnnxValueInfo } from "../onnx_graph.ts";
import type { KernelGraph, KernelNode } from "../trace/kernel_graph.ts";
import { axisRules } from "./axes.ts";
import { blockRules } from "./blocks.ts";
import { convRules } from "./conv.ts";
import { elementwiseRules } from "./elementwise.ts";
import { filterGradientRules } from "./filter_gradient.ts";
import { imageRules } from "./image.ts";
import { arrange, range } from "./layout.ts";
import { type Lowered, Lowering, type LoweringRule, type LowerOptions } from "./lowering.ts";
import { matmulRules } from "./matmul.ts";
import { poolRules } from "./pool.ts";
import { reduceRules } from "./reduce.ts";
import { scatterRules } from "./scatter.ts";
import { selectionRules } from "./selection.ts";
import { volumeRules } from "./volume.ts";

/** The rules by kernel name. */
export const LOWERING_RULES: Readonly<Record<string, LoweringRule>> = {
  ...axisRules,
  ...blockRules,
  ...convRules,
  ...elementwiseRules,
  ...filterGradientRules,
  ...imageRules,
  ...matmulRules,
  ...poolRules,
  ...reduceRules,
  ...scatterRules,
  ...selectionRules,
  ...volumeRules,
};

/** Options of {@linkcode lowerGraph}. */
export interface LowerGraphOptions extends LowerOptions {
  /** The graph's name in the file. Default "graph". */
  name?: string;
  /** The layouts of inputs, by name; plain where nothing is said. See `order` in lowering.ts. */
  inputOrders?: Readonly<Record<string, readonly number[]>>;
  /** The layouts of outputs, by name; plain where nothing is said. */
  outputOrders?: Readonly<Record<string, readonly number[]>>;
}

/** A lowered graph, and the layouts that would have saved transpositions. */
export interface LoweredGraph {
  /** The translation. */
  graph: OnnxGraph;
  /** For each output, the layout in which it came about before it was brought in order. */
  naturalOrders: Record<string, readonly number[]>;
  /** For each input that was transposed, the layout that was wanted first. */
  wantedOrders: Record<string, readonly number[]>;
}

/** Translates a graph of kernels into ONNX. */
export function lowerGraph(graph: KernelGraph, options: LowerGraphOptions = {}): LoweredGraph {
  const lowering = new Lowering(graph, options);
  const { builder } = lowering;
  const inputs: OnnxValueInfo[] = graph.inputs.map(({ name, value }) => {
    const { shape, dtype } = value;
    const order = options.inputOrders?.[name] ?? range(shape.length);
    lowering.define(value, { shape, stored: shape, order, dtype, name: builder.freshName(name) });
    return { name, dtype, dims: arrange(shape, order) };
  });
  for (const node of graph.nodes) lowerNode(lowering, node);

  builder.scope = "";
  const naturalOrders: Record<string, readonly number[]> = {};
  const outputs = graph.outputs.map(({ name, value }) => {
    const result = lowering.expanded(lowering.value(value));
    naturalOrders[name] = result.order;
    const order = options.outputOrders?.[name] ?? range(result.shape.length);
    const arranged = lowering.arranged(result, order);
    const dims = lowering.dims(arranged);
    return { from: lowering.name(arranged), info: { name, dtype: result.dtype, dims } };
  });
  const wantedOrders = Object.fromEntries(
    inputs.flatMap(({ name }) => {
      const order = lowering.transposedTo.get(name);
      return order === undefined ? [] : [[name, order]];
    }),
  );
  return {
    graph: builder.finish(options.name ?? "graph", inputs, outputs),
    naturalOrders,
    wantedOrders,
  };
}

function lowerNode(lowering: Lowering, node: KernelNode): void {
  const rule = LOWERING_RULES[node.kernel];
  if (rule === undefined) throw new Error(`There is no lowering rule for ${node.kernel}`);
  lowering.builder.scope = node.scope;
  const result = applyRule(rule, lowering, node);
  const outputs = Array.isArray(result) ? result : [result];
  outputs.forEach((lowered, index) => {
    const value = node.outputs[index];
    if (lowered.shape.join() !== value.shape.join()) {
      throw new Error(
        `${node.kernel} gives [${value.shape}], but its lowering gives [${lowered.shape}]`,
      );
    }
    lowering.define(value, lowered);
  });
}

/** @throws {UserError} that names the kernel and its layer, where the rule cannot translate this one */
function applyRule(
  rule: LoweringRule,
  lowering: Lowering,
  node: KernelNode,
): Lowered | Lowered[] {
  try {
    return rule(lowering, node);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const where = `kernel ${node.kernel}${node.scope && ` of ${node.scope}`}`;
    throw new UserError(`${error.message} (TensorFlow.js ${where})`, { cause: error });
  }
}
