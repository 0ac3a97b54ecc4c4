/** Runs traced functions through ONNX Runtime and through TensorFlow.js' cpu backend, to compare. */
import * as ort from "onnxruntime-web";
import { assert, assertThrows } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import type { TensorMap, TensorSpec } from "../../src/tensor/types.ts";
import { UserError } from "../../src/errors.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { irVersionFor, type OnnxGraph, type OnnxModel } from "../../src/graph/onnx_graph.ts";
import { encodeModel } from "../../src/graph/protobuf.ts";
import { lowerGraph } from "../../src/graph/lower/lower.ts";
import type { KernelGraph } from "../../src/graph/trace/kernel_graph.ts";
import { toFloat16 } from "../../src/graph/precision/float16_graph.ts";
import { toByteWeights } from "../../src/graph/precision/int8.ts";
import { traceFunction } from "../../src/graph/trace/trace.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

/** All versions of ONNX' operators that are written. */
const OPSETS = [13, 14, 15, 16, 17, 18, 19, 20, 21];

/** A folder for the portable models, where a referee asks for them (tests/referees). */
const KEPT_MODELS = Deno.env.get("GANFORGE_KEPT_MODELS");

/** A model around a graph. */
export function modelOf(graph: OnnxGraph, opset = 17): OnnxModel {
  return {
    graph,
    opset,
    irVersion: irVersionFor(opset),
    producer: "test",
    producerVersion: "0",
    domains: { "com.microsoft": 1 },
  };
}

/** Runs a model in onnxruntime-web. */
export async function runModel(
  bytes: Uint8Array,
  inputs: Record<string, ort.Tensor>,
): Promise<Record<string, ort.Tensor>> {
  const session = await ort.InferenceSession.create(bytes);
  try {
    const wanted = Object.entries(inputs).filter(([name]) => session.inputNames.includes(name));
    return await session.run(Object.fromEntries(wanted)) as Record<string, ort.Tensor>;
  } finally {
    await session.release();
  }
}

/** A function of tensors with an example of its inputs. */
export interface Case {
  fn: (inputs: TensorMap) => TensorMap | tf.Tensor;
  inputs: Record<string, tf.Tensor>;
  /** What TensorFlow.js computes instead of `fn`, where its own kernel is wrong. */
  reference?: (inputs: TensorMap) => TensorMap | tf.Tensor;
  /** The oldest opset that can say it; 13 by default. */
  since?: number;
}

/** Seeded N(0, 1) values as a tensor. */
export function normal(shape: number[], stream = 1): tf.Tensor {
  const data = new Float32Array(shape.reduce((size, dim) => size * dim, 1));
  return tf.tensor(fillNormal(data, { seed: 7, stream, step: 0 }), shape);
}

/**
 * The largest difference between what ONNX Runtime and TensorFlow.js compute, over all opsets, with and
 * without ONNX Runtime's own operators; and the graph with them. Float16 and 8-bit weights must be near.
 */
export async function compare(
  { fn, inputs, reference = fn, since = OPSETS[0] }: Case,
  pass: (graph: KernelGraph) => KernelGraph = (graph) => graph,
): Promise<{ difference: number; graph: OnnxGraph }> {
  await tf.setBackend("cpu");
  const named = (compute: Case["fn"]) => (given: TensorMap): TensorMap => {
    const result = compute(given);
    return result instanceof tf.Tensor ? { y: result } : result;
  };
  const specs: Record<string, TensorSpec> = {};
  const feeds: Record<string, ort.Tensor> = {};
  for (const [name, tensor] of Object.entries(inputs)) {
    const dtype = tensor.dtype as "float32" | "int32";
    specs[name] = { shape: tensor.shape, dtype };
    feeds[name] = new ort.Tensor(dtype, tensor.dataSync().slice() as Float32Array, tensor.shape);
  }
  const expected = tf.tidy(() => named(reference)(inputs));
  const kernels = pass(traceFunction(named(fn), specs));
  const { graph } = lowerGraph(kernels, { contrib: true });
  let difference = await differenceOf(encodeModel(modelOf(graph)), feeds, expected);
  for (const opset of OPSETS) {
    const lower = () => lowerGraph(kernels, { opset }).graph;
    if (opset < since) {
      assertThrows(lower, UserError, `in opset ${opset}: ${since} has it`);
      continue;
    }
    const bytes = await portable(lower(), opset);
    difference = Math.max(difference, await differenceOf(bytes, feeds, expected));
  }
  for (const rounded of [toFloat16, toByteWeights]) {
    const bytes = await portable(rounded(lowerGraph(kernels, {}).graph), 17);
    // On a CPU ONNX Runtime has no float16 scatter-add, which opset 16 brought.
    if (rounded === toFloat16 && since === 16) continue;
    const gap = await differenceOf(bytes, feeds, expected);
    assert(gap < 0.05, `${rounded.name}() changes it by ${gap}`);
  }
  tf.dispose(expected);
  return { difference, graph };
}

/** The bytes of a model that every runtime should know. */
async function portable(graph: OnnxGraph, opset: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = encodeModel({ ...modelOf(graph, opset), domains: {} });
  if (KEPT_MODELS) {
    await Deno.writeFile(`${KEPT_MODELS}/opset${opset}-${crypto.randomUUID()}.onnx`, bytes);
  }
  return bytes;
}

/** The largest difference between a model's outputs and tensors, as a share of values beyond 1. */
async function differenceOf(
  bytes: Uint8Array,
  feeds: Record<string, ort.Tensor>,
  expected: TensorMap,
): Promise<number> {
  const outputs = await runModel(bytes, feeds);
  let difference = 0;
  for (const [name, tensor] of Object.entries(expected)) {
    const actual = outputs[name];
    assert(
      actual.dims.join() === tensor.shape.join(),
      `${name}: [${actual.dims}] instead of [${tensor.shape}]`,
    );
    const values = actual.data as unknown as ArrayLike<number>;
    tensor.dataSync().forEach((value, index) => {
      const found = Number(values[index]);
      const gap = Object.is(value, found) || (Number.isNaN(value) && Number.isNaN(found))
        ? 0
        : Math.abs(value - found) / Math.max(1, Math.abs(value));
      difference = Math.max(difference, Number.isNaN(gap) ? Infinity : gap);
    });
  }
  return difference;
}
