/** A forward function that ONNX Runtime runs. */
import { irVersionFor } from "../../graph/onnx_graph.ts";
import { lowerGraph } from "../../graph/lower/lower.ts";
import { speedUp } from "../../graph/passes/training.ts";
import { encodeModel } from "../../graph/protobuf.ts";
import { traceTwice } from "../../graph/trace/trace.ts";
import { checkFunctionInputs } from "../checks.ts";
import { Lifecycle } from "../lifecycle.ts";
import type { CompiledFunction } from "../types.ts";
import type { HostTensors, TensorFunction, TensorSpec } from "../../tensor/types.ts";
import { type OnnxRuntime, sayingMemory } from "../../ort/runtime.ts";
import type { OrtTensor } from "../../ort/types.ts";

/** Before the names of outputs in the model. */
const OUTPUT = "output/";

/** Where a function runs. */
export interface FunctionSetup {
  /** What runs it. */
  runtime: OnnxRuntime;
  /** Called once, when the function is disposed. */
  onDispose(compiled: CompiledFunction): void;
}

/**
 * Traces a function and opens a session for it.
 * @throws {UserError} when the function is not pure or uses a kernel that is not supported
 */
export async function compileOnnxFunction(
  { runtime, onDispose }: FunctionSetup,
  fn: TensorFunction,
  inputs: Record<string, TensorSpec>,
): Promise<CompiledFunction> {
  const { ort, sessionOptions } = runtime;
  const opset = 17;
  const { outputs: results, ...rest } = speedUp(traceTwice(fn, inputs));
  // An input and an output of one name are two values in ONNX.
  const outputs = results.map((output) => ({ ...output, name: OUTPUT + output.name }));
  const traced = { ...rest, outputs };
  const bytes = encodeModel({
    graph: lowerGraph(traced, { opset, contrib: true }).graph,
    opset,
    irVersion: irVersionFor(opset),
    producer: "ganforge",
    producerVersion: "",
    domains: { "com.microsoft": 1 },
  });
  const dtypes = new Map(traced.outputs.map(({ name, value }) => [name, value.dtype]));
  const session = await sayingMemory(
    runtime,
    () => ort.InferenceSession.create(bytes, sessionOptions),
  );
  const life = new Lifecycle("function");
  async function run(given: HostTensors): Promise<HostTensors> {
    checkFunctionInputs(inputs, given);
    const feeds: Record<string, OrtTensor> = {};
    for (const name of session.inputNames) {
      const { data, shape, dtype } = given[name];
      feeds[name] = new ort.Tensor(dtype, data as Float32Array, shape);
    }
    const outputs = await sayingMemory(runtime, () => session.run(feeds));
    return Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => [name.slice(OUTPUT.length), {
        shape: [...tensor.dims],
        dtype: dtypes.get(name) === "float32" ? "float32" : "int32",
        data: hostData(tensor),
      }]),
    );
  }
  const compiled: CompiledFunction = {
    run: (given) => life.use(() => run(given)),
    dispose: () =>
      life.dispose(async () => {
        onDispose(compiled);
        await session.release();
      }),
  };
  return compiled;
}

/** The elements, with truth values as whole numbers. */
function hostData(tensor: OrtTensor): Float32Array | Int32Array {
  if (tensor.type === "bool") return Int32Array.from(tensor.data as Uint8Array);
  return tensor.data as Float32Array | Int32Array;
}
