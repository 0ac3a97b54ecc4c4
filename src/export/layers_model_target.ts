/** A layers model of TensorFlow.js as a target of the export. */
import { tf } from "../tensor/tf.ts";
import { resolveInputs } from "./input_shapes.ts";
import type { InputShapes, InputSignature, PreparedTarget } from "./target.ts";

/** Makes a model ready; the model itself stays as it is. */
export function prepareLayersModel(model: tf.LayersModel, shapes: InputShapes): PreparedTarget {
  const weights = model.weights.map((weight) => [weight.name, weight.read()] as const);
  // A sequential model has no list of names, but its tensors have.
  const inputNames = model.inputs.map(({ name }, index) => model.inputNames[index] ?? name);
  const outputNames = model.outputs.map(({ name }, index) => model.outputNames[index] ?? name);
  const inputs = model.inputs.map(({ shape, dtype }, index): [string, InputSignature] => [
    inputNames[index],
    { shape, dtype: dtype === "int32" ? "int32" : "float32" },
  ]);
  return {
    inputs: resolveInputs(Object.fromEntries(inputs), shapes),
    apply(given) {
      const tensors = inputNames.map((name) => given[name]);
      const restore = nameCalls(model.layers);
      try {
        const results = [model.apply(tensors, { training: false })].flat() as tf.Tensor[];
        return Object.fromEntries(results.map((result, index) => [outputNames[index], result]));
      } finally {
        restore();
      }
    },
    weights: Object.fromEntries(weights),
    dims: weights.flatMap(([, { shape }]) => shape),
    isOwn: false,
    release() {},
  };
}

/** Lets each layer's operations carry its name. @returns undoes it */
function nameCalls(layers: tf.layers.Layer[]): () => void {
  const undo = layers.map((layer) => {
    const own = Object.getOwnPropertyDescriptor(layer, "call");
    const call = layer.call;
    layer.call = (inputs, options) => tf.tidy(layer.name, () => call.call(layer, inputs, options));
    return () => {
      if (own === undefined) delete (layer as Partial<tf.layers.Layer>).call;
      else Object.defineProperty(layer, "call", own);
    };
  });
  return () => undo.forEach((restore) => restore());
}
