/** A graph model of TensorFlow.js (a converted SavedModel) as a target of the export. */
import { tf } from "../tensor/tf.ts";
import type { TensorMap } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import { resolveInputs } from "./input_shapes.ts";
import type { InputShapes, InputSignature, PreparedTarget } from "./target.ts";

/** What we use of a graph model's executor, which its typings hide. */
interface GraphNode {
  name: string;
  op: string;
  category: string;
  inputs: GraphNode[];
}

/** Makes a model ready. @throws {UserError} when it has control flow; the message names the operation */
export function prepareGraphModel(model: tf.GraphModel, shapes: InputShapes): PreparedTarget {
  checkOperations(model);
  const signatures = model.inputs.map(({ name, shape, dtype }): [string, InputSignature] => {
    const id = plainName(name);
    const given = shapes[id];
    if (dtype !== "float32" && dtype !== "int32") {
      throw new UserError(`Cannot export a graph model with input ${id} of type ${dtype}`);
    }
    if (shape === undefined && given === undefined) {
      throw new UserError(
        `Cannot export a graph model whose input ${id} has no shape: give it, as in ` +
          `shapes: { ${JSON.stringify(id)}: [null, 64, 64, 3] }, or --shape ${id}=any,64,64,3`,
      );
    }
    // -1 stands for any length.
    const own = shape?.map((dim) => dim < 0 ? null : dim) ?? [...given];
    return [id, { shape: own, dtype }];
  });
  const weights: TensorMap = {};
  for (const [name, tensors] of Object.entries(model.weights)) {
    if (tensors[0] instanceof tf.Tensor) weights[name] = tensors[0];
  }
  const outputs = model.outputs.map(({ name }) => name);
  return {
    inputs: resolveInputs(Object.fromEntries(signatures), shapes),
    apply(given) {
      const named = Object.fromEntries(
        model.inputs.map(({ name }) => [name, given[plainName(name)]]),
      );
      const results = [model.execute(named, outputs)].flat() as tf.Tensor[];
      return Object.fromEntries(
        results.map((result, index) => [plainName(outputs[index]), result]),
      );
    },
    weights,
    dims: Object.values(weights).flatMap(({ shape }) => shape),
    isOwn: false,
    release() {},
  };
}

/** `image` for TensorFlow's `image:0`. */
function plainName(name: string): string {
  return name.replace(/:0$/, "");
}

/** @throws {UserError} when what the outputs need is not the same operations at each run */
function checkOperations(model: tf.GraphModel): void {
  const { executor } = model as unknown as {
    executor?: { graph: { outputs: GraphNode[] } };
  };
  if (executor === undefined) {
    throw new UserError("Cannot export a graph model that was not loaded: call load() first");
  }
  const seen = new Set<GraphNode>();
  const pending = [...executor.graph.outputs];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.category === "control" || node.category === "dynamic") {
      const kind = node.category === "control" ? "control flow" : "a result of a length of its own";
      throw new UserError(
        `Cannot export a graph model with operation ${node.op} (node ${node.name}): ${kind} has no ` +
          "counterpart in a fixed graph; export a part without it as a function, " +
          '{ inputs, fn: ({ x }) => model.execute(x, "node before it") }',
      );
    }
    pending.push(...node.inputs);
  }
}
