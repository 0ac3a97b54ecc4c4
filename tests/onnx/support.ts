/** Runs traced functions through ONNX Runtime and through TensorFlow.js' cpu backend, to compare. */
import * as ort from "onnxruntime-web";
import { assert } from "@std/assert";
import { tf } from "../../src/engine/tf.ts";
import type { TensorMap, TensorSpec } from "../../src/engine/types.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { irVersionFor, type OnnxGraph, type OnnxModel } from "../../src/onnx/graph.ts";
import { encodeModel } from "../../src/onnx/protobuf.ts";
import { lowerGraph, type LowerGraphOptions } from "../../src/onnx/lower/lower.ts";
import type { KernelGraph } from "../../src/onnx/trace/kernel_graph.ts";
import { traceFunction } from "../../src/onnx/trace/trace.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

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
}

/** Seeded N(0, 1) numbers as a tensor. */
export function normal(shape: number[], stream = 1): tf.Tensor {
  const data = new Float32Array(shape.reduce((size, dim) => size * dim, 1));
  return tf.tensor(fillNormal(data, { seed: 7, stream, step: 0 }), shape);
}

/** The largest difference between what ONNX Runtime and TensorFlow.js compute, and the ONNX graph. */
export async function compare(
  { fn, inputs, reference = fn }: Case,
  options: LowerGraphOptions = {},
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
  const graph =
    lowerGraph(pass(traceFunction(named(fn), specs)), { contrib: true, ...options }).graph;
  const outputs = await runModel(encodeModel(modelOf(graph, options.opset)), feeds);
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
  tf.dispose(expected);
  return { difference, graph };
}
