/**
 * A step of several processes as ONNX models: its graph is cut at each all-reduce. A segment computes what
 * lies between two of them; what a later segment needs of an earlier one is carried there as it is.
 */
import { ALL_REDUCE } from "../../tensor/all_reduce.ts";
import { irVersionFor } from "../../graph/onnx_graph.ts";
import { lowerGraph } from "../../graph/lower/lower.ts";
import { encodeModel } from "../../graph/protobuf.ts";
import type { KernelGraph, KernelNode, KernelValue } from "../../graph/trace/kernel_graph.ts";
import { minStepBytes } from "./memory.ts";
import { OPSET, type TracedStep } from "./step_trace.ts";

/** One segment of a step. */
export interface SegmentModel {
  /** The ONNX file; undefined where nothing is to be computed. */
  bytes: Uint8Array | undefined;
  /** Names of what it takes: inputs of the step, carried values, results of all-reduces. */
  inputs: string[];
  /** Names of what it gives: outputs of the step, carried values, what is to be reduced. */
  outputs: string[];
}

/** A step in segments; the values after segment `k` are reduced before segment `k + 1`. */
export interface SegmentedModel
  extends Pick<TracedStep, "state" | "random" | "inputs" | "scalars"> {
  segments: SegmentModel[];
  /** How many nodes a step has, for measurements. */
  nodeCount: number;
  /** The least bytes that a step takes; see memory.ts. */
  minBytes: number;
}

/** The name of what a segment gives to be reduced. */
export const reduceOutput = (segment: number): string => `reduce/${segment}`;
/** The name under which later segments take it, reduced. */
export const reducedInput = (segment: number): string => `reduced/${segment}`;

/** Whether a step exchanges values with other processes. */
export function isCut({ graph }: TracedStep): boolean {
  return graph.nodes.some(({ kernel }) => kernel === ALL_REDUCE);
}

/** Cuts a traced step. */
export function buildSegments(traced: TracedStep): SegmentedModel {
  const { graph, state, random, inputs, scalars } = traced;
  const parts = cutNodes(graph.nodes);
  const orders = new Map<string, readonly number[]>(
    Object.entries({ ...traced.inputOrders, ...traced.outputOrders }),
  );
  let nodeCount = 0;
  const segments = segmentGraphs(graph, parts).map((segment): SegmentModel => {
    if (segment.outputs.length === 0) return { bytes: undefined, inputs: [], outputs: [] };
    const inputOrders = Object.fromEntries(
      segment.inputs.flatMap(({ name }) => orders.has(name) ? [[name, orders.get(name)!]] : []),
    );
    // What is carried stays in the layout in which it comes about.
    const draft = lowerGraph(segment, { opset: OPSET, contrib: true, inputOrders });
    for (const { name } of segment.outputs) {
      if (name.startsWith(CARRIED)) orders.set(name, draft.naturalOrders[name]);
    }
    const outputOrders = Object.fromEntries(
      segment.outputs.flatMap(({ name }) => orders.has(name) ? [[name, orders.get(name)!]] : []),
    );
    const { graph: lowered } = lowerGraph(segment, {
      opset: OPSET,
      contrib: true,
      inputOrders,
      outputOrders,
    });
    nodeCount += lowered.nodes.length;
    const bytes = encodeModel({
      graph: lowered,
      opset: OPSET,
      irVersion: irVersionFor(OPSET),
      producer: "ganforge",
      producerVersion: "",
      domains: { "com.microsoft": 1 },
    });
    return {
      bytes,
      inputs: segment.inputs.map(({ name }) => name),
      outputs: segment.outputs.map(({ name }) => name),
    };
  });
  return {
    state,
    random,
    inputs,
    scalars,
    segments,
    nodeCount,
    minBytes: minStepBytes(graph),
  };
}

/** Before the names of carried values. */
const CARRIED = "carried/";

/** The kernels of each segment, and the all-reduce that ends it. */
interface Part {
  nodes: KernelNode[];
  /** Undefined for the last segment. */
  reduce: KernelNode | undefined;
}

function cutNodes(nodes: readonly KernelNode[]): Part[] {
  const parts: Part[] = [];
  let current: KernelNode[] = [];
  for (const node of nodes) {
    if (node.kernel !== ALL_REDUCE) {
      current.push(node);
      continue;
    }
    parts.push({ nodes: current, reduce: node });
    current = [];
  }
  parts.push({ nodes: current, reduce: undefined });
  return parts;
}

function segmentGraphs(graph: KernelGraph, parts: readonly Part[]): KernelGraph[] {
  const madeIn = new Map<KernelValue, number>();
  parts.forEach(({ nodes, reduce }, segment) => {
    for (const node of nodes) node.outputs.forEach((value) => madeIn.set(value, segment));
    // The result of an all-reduce is an input of all segments after it.
    reduce?.outputs.forEach((value) => madeIn.set(value, segment + 0.5));
  });
  const names = new Map<KernelValue, string>();
  for (const { name, value } of graph.inputs) names.set(value, name);
  for (const value of madeIn.keys()) names.set(value, `${CARRIED}${value.id}`);
  parts.forEach(({ reduce }, segment) =>
    reduce?.outputs.forEach((value) => names.set(value, reducedInput(segment)))
  );

  const last = parts.length - 1;
  /** The segment that gives an output of the step. */
  const outputSegment = (value: KernelValue) => Math.ceil(madeIn.get(value) ?? last);
  const carried = new Map<KernelValue, number>();
  const uses = parts.map((part, segment) => {
    const read = new Set<KernelValue>();
    const given = [
      ...part.nodes.flatMap(({ inputs }) => Object.values(inputs)),
      ...(part.reduce ? Object.values(part.reduce.inputs) : []),
      ...graph.outputs.map(({ value }) => value).filter((value) =>
        outputSegment(value) === segment
      ),
    ];
    for (const value of given) {
      const { kind } = value.source;
      const made = madeIn.get(value);
      if (kind === "constant" || kind === "fill" || made === segment) continue;
      read.add(value);
      if (made !== undefined && Number.isInteger(made)) carried.set(value, made);
    }
    return read;
  });
  const kinds = new Map(graph.inputs.map((input) => [input.value, input]));
  return parts.map(({ nodes, reduce }, segment) => ({
    nodes,
    inputs: [...uses[segment]].map((value) =>
      kinds.get(value) ?? { name: names.get(value)!, kind: "input" as const, value }
    ),
    outputs: [
      ...graph.outputs.filter(({ value }) => outputSegment(value) === segment),
      ...[...carried].filter(([, made]) => made === segment)
        .map(([value]) => ({ name: names.get(value)!, value })),
      ...(reduce ? [{ name: reduceOutput(segment), value: reduce.inputs.x }] : []),
    ],
  }));
}
