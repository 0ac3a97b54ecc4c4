/** Makes whatever can be exported ready to be traced. */
import { tf } from "../tensor/tf.ts";
import type { TensorMap } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import { prepareGraphModel } from "./graph_model_target.ts";
import { resolveInputs } from "./input_shapes.ts";
import { prepareLayersModel } from "./layers_model_target.ts";
import { prepareNetwork } from "./network_target.ts";
import type {
  ExportTarget,
  FunctionTarget,
  InputShapes,
  NetworkTarget,
  PreparedTarget,
} from "./target.ts";

/**
 * Makes a target ready.
 * @param shapes replace the shapes that its inputs have
 * @throws {UserError} when it cannot be exported at all
 */
export function prepareTarget(target: ExportTarget, shapes: InputShapes = {}): PreparedTarget {
  const has = (...names: string[]) => names.every((name) => name in Object(target));
  if (has("spec", "weights")) {
    const [name] = Object.keys(shapes);
    if (name === undefined) return prepareNetwork(target as NetworkTarget);
    throw new UserError(`Cannot give input ${name} another shape: a network's description says it`);
  }
  if (has("fn", "inputs")) return prepareFunction(target as FunctionTarget<tf.Tensor>, shapes);
  if (has("layers", "inputs", "apply")) {
    return prepareLayersModel(target as unknown as tf.LayersModel, shapes);
  }
  if (has("execute", "inputs", "outputs")) {
    return prepareGraphModel(target as unknown as tf.GraphModel, shapes);
  }
  throw new UserError(
    "Cannot export what is neither a network ({ spec, weights }), nor a function ({ inputs, fn }), nor " +
      "a layers or graph model of TensorFlow.js",
  );
}

function prepareFunction(target: FunctionTarget<tf.Tensor>, shapes: InputShapes): PreparedTarget {
  const { inputs, weights = {} } = target;
  return {
    inputs: resolveInputs(inputs, shapes),
    apply: (given, random) => namedTensors(callFunction(target, given, random)),
    weights,
    dims: Object.values(weights).flatMap(({ shape }) => shape),
    isOwn: false,
    release() {},
  };
}

/** Calls the function; what it says of control flow in a graph model that it runs becomes a user's error. */
function callFunction(
  target: FunctionTarget<tf.Tensor>,
  given: TensorMap,
  random: Parameters<PreparedTarget["apply"]>[1],
): unknown {
  try {
    return target.fn(given, random);
  } catch (error) {
    const found = /contains the node '(.*?)', which has the dynamic op '(.*?)'/.exec(String(error));
    if (found === null) throw error;
    throw new UserError(
      `Cannot export a function that runs a graph model with operation ${found[2]} (node ${
        found[1]
      }): ` +
        "it has no counterpart in a fixed graph; run the part of the model before it",
      { cause: error },
    );
  }
}

/** What a function gave, by name. @throws {UserError} if that is no tensor */
function namedTensors(result: unknown): TensorMap {
  if (result instanceof tf.Tensor) return { output: result };
  const entries = Object.entries(Object(result));
  if (entries.length > 0 && entries.every(([, value]) => value instanceof tf.Tensor)) {
    return result as TensorMap;
  }
  const what = result instanceof Promise ? "a promise" : "something else";
  throw new UserError(
    `Cannot export a function that gives ${what}: expected a tensor, or tensors by name, at once, ` +
      `of the copy of TensorFlow.js ${tf.version_core} that ganforge uses`,
  );
}
