/** From a training step to the ONNX model that runs many of them. */
import { lowerGraph } from "../../graph/lower/lower.ts";
import { irVersionFor } from "../../graph/onnx_graph.ts";
import { encodeModel } from "../../graph/protobuf.ts";
import { loopGraph } from "./loop_graph.ts";
import { minStepBytes } from "./memory.ts";
import { OPSET, programInput, stateInput, stateOutput, type TracedStep } from "./step_trace.ts";

/** A step as an ONNX model. */
export interface StepModel extends Pick<TracedStep, "state" | "random" | "inputs" | "scalars"> {
  /** The ONNX file. */
  bytes: Uint8Array;
  /** How many nodes a step has, for measurements. */
  nodeCount: number;
  /** The least bytes that a step takes; see memory.ts. */
  minBytes: number;
}

/** Writes a traced step as a model that runs any number of steps. */
export function buildStepModel(traced: TracedStep): StepModel {
  const { graph, state, random, inputs, scalars, inputOrders, outputOrders } = traced;
  const { graph: step } = lowerGraph(graph, {
    opset: OPSET,
    contrib: true,
    inputOrders,
    outputOrders,
  });
  const perStep = [
    ...inputs.map(({ name }) => programInput(name)),
    ...random.map(({ name }) => name),
  ];
  const carried = state.filter(({ changes }) => changes)
    .map(({ name }) => ({ input: stateInput(name), output: stateOutput(name) }));
  const bytes = encodeModel({
    graph: loopGraph(step, carried, perStep),
    opset: OPSET,
    irVersion: irVersionFor(OPSET),
    producer: "ganforge",
    producerVersion: "",
    domains: { "com.microsoft": 1 },
  });
  return {
    bytes,
    state,
    random,
    inputs,
    scalars,
    nodeCount: step.nodes.length,
    minBytes: minStepBytes(graph),
  };
}
