/** What can be exported: networks of this project, functions of tensors, models of TensorFlow.js Layers. */
import type { NetworkSpec } from "../config/network.ts";
import { tf } from "../tensor/tf.ts";
import type { HostTensors, StepRandom, TensorMap } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import { applyNetwork, buildNetwork } from "../nn/mod.ts";

/** A network of this project with its weights. */
export interface NetworkTarget {
  /** The network's description. */
  spec: NetworkSpec;
  /** Its parameters by name, buffers included. */
  weights: HostTensors;
}

/** The shape and type of a function's input. */
export interface InputSignature {
  /** `null` where the batch size stands, which the file leaves open. */
  shape: (number | null)[];
  /** Default "float32". */
  dtype?: "float32" | "int32";
}

/** What is known here of a `tf.Tensor`. */
export interface TensorLike {
  /** Its dimensions. */
  readonly shape: number[];
  /** "float32", say. */
  readonly dtype: string;
}

/** Where a function may draw random numbers from. */
export interface NoiseSource<Tensor extends TensorLike> {
  /** U[0, 1) numbers of a shape. */
  uniform(shape: number[]): Tensor;
  /** N(0, 1) numbers of a shape. */
  normal(shape: number[]): Tensor;
}

/** A function of tensors: write `FunctionTarget<tf.Tensor>`. */
export interface FunctionTarget<Tensor extends TensorLike = TensorLike> {
  /**
   * Pure: the same tensors give the same result, and nothing is read on the host. What it draws from
   * `random` becomes further inputs of the file, `random_0`, `random_1`, ...
   */
  fn(inputs: Record<string, Tensor>, random: NoiseSource<Tensor>): Record<string, Tensor> | Tensor;
  /** Its inputs by name. */
  inputs: Record<string, InputSignature>;
  /** Readable names for tensors that the function uses: its weights. */
  weights?: Record<string, Tensor>;
}

/** What is known here of a `tf.LayersModel`. */
export interface LayersModelLike {
  /** Its inputs. */
  inputs: { name: string; shape: (number | null)[] }[];
  /** Its outputs. */
  outputs: { name: string }[];
  /** Applies it. */
  apply(inputs: unknown, options?: unknown): unknown;
}

/** Whatever {@linkcode exportOnnx} takes. */
export type ExportTarget<Tensor extends TensorLike = TensorLike> =
  | NetworkTarget
  | FunctionTarget<Tensor>
  | LayersModelLike;

/** A target made ready to be traced. */
export interface PreparedTarget {
  inputs: Record<string, Required<InputSignature>>;
  /** Applies it, while tracing. */
  apply(inputs: TensorMap, random: StepRandom): TensorMap;
  /** Names of the weights' tensors. */
  weights: TensorMap;
  /** Dimensions that it is known to have. */
  dims: number[];
  /** Class numbers go from 0 to this; undefined where nothing says so. */
  classCount?: number;
  /** Whether it was written for this project, and so cannot depend on the batch size on the host. */
  isOwn: boolean;
  /** Gives back what was made for tracing. */
  release(): void;
}

/** The names of a network's inputs. */
export const LATENT = "latent";
/** See {@linkcode LATENT}. */
export const LABEL = "label";
/** See {@linkcode LATENT}: what layers that stay random draw from. */
export const NOISE = "noise";

/** Makes a target ready. @throws {UserError} when it cannot be exported at all */
export function prepareTarget(target: ExportTarget): PreparedTarget {
  const has = (...names: string[]) => names.every((name) => name in Object(target));
  if (has("spec", "weights")) return prepareNetwork(target as NetworkTarget);
  if (has("fn", "inputs")) return prepareFunction(target as FunctionTarget<tf.Tensor>);
  if (has("layers", "inputs", "apply")) return prepareLayersModel(target as tf.LayersModel);
  throw new UserError(
    "Cannot export what is neither a network ({ spec, weights }), nor a function ({ inputs, fn }), nor " +
      "a model of TensorFlow.js Layers",
  );
}

function prepareNetwork({ spec, weights }: NetworkTarget): PreparedTarget {
  const network = buildNetwork(spec);
  const layer = network.layers.find(({ type }) => type === "minibatch-stddev");
  if (layer !== undefined) {
    throw new UserError(
      `Cannot export layer ${layer.name} (minibatch-stddev): what it gives for one sample depends on ` +
        "the others of the batch; it belongs into a discriminator, take it out of the generator",
    );
  }
  const { inputShape } = network.spec;
  if (inputShape.length !== 1) {
    throw new UserError(
      `Cannot export a network that takes samples of shape [${inputShape}] as a generator: a ` +
        "generator takes a vector; export other networks as a function of tensors",
    );
  }
  const parameters = toCpuTensors(weights);
  return {
    inputs: {
      [LATENT]: { shape: [null, ...inputShape], dtype: "float32" },
      ...(network.usesLabels ? { [LABEL]: { shape: [null], dtype: "int32" as const } } : {}),
      ...(network.noiseSize
        ? { [NOISE]: { shape: [null, network.noiseSize], dtype: "float32" as const } }
        : {}),
    },
    apply(given) {
      const { output } = applyNetwork(network, parameters, given[LATENT], {
        training: false,
        compact: true,
        labels: given[LABEL] as tf.Tensor1D | undefined,
        noise: given[NOISE],
        enterLayer: (name, apply) => tf.tidy(name, apply),
      });
      return { output };
    },
    weights: parameters,
    dims: [
      ...network.parameters.flatMap(({ shape }) => shape),
      ...network.layers.flatMap(({ outputShape }) => outputShape),
      network.noiseSize,
    ],
    classCount: network.spec.classCount,
    isOwn: true,
    release: () => tf.dispose(parameters),
  };
}

function prepareFunction(target: FunctionTarget<tf.Tensor>): PreparedTarget {
  const { inputs, weights = {} } = target;
  return {
    inputs: Object.fromEntries(
      Object.entries(inputs).map((
        [name, { shape, dtype = "float32" }],
      ) => [name, { shape, dtype }]),
    ),
    apply: (given, random) => namedTensors(target.fn(given, random)),
    weights,
    dims: Object.values(weights).flatMap(({ shape }) => shape),
    isOwn: false,
    release() {},
  };
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

function prepareLayersModel(model: tf.LayersModel): PreparedTarget {
  const restore = nameCalls(model.layers);
  const weights = model.weights.map((weight) => [weight.name, weight.read()] as const);
  // A sequential model has no list of names, but its tensors have.
  const inputNames = model.inputs.map(({ name }, index) => model.inputNames[index] ?? name);
  const outputNames = model.outputs.map(({ name }, index) => model.outputNames[index] ?? name);
  return {
    inputs: Object.fromEntries(
      model.inputs.map(({ shape, dtype }, index) => [
        inputNames[index],
        { shape, dtype: dtype === "int32" ? "int32" as const : "float32" as const },
      ]),
    ),
    apply(given) {
      const inputs = inputNames.map((name) => given[name]);
      const results = [model.apply(inputs, { training: false })].flat() as tf.Tensor[];
      return Object.fromEntries(
        results.map((result, index) => [outputNames[index], result]),
      );
    },
    weights: Object.fromEntries(weights),
    dims: weights.flatMap(([, { shape }]) => shape),
    isOwn: false,
    release: restore,
  };
}

/** Lets each layer's operations carry its name. @returns undoes it */
function nameCalls(layers: tf.layers.Layer[]): () => void {
  const named = layers.map((layer) => {
    const call = layer.call;
    layer.call = (inputs, options) => tf.tidy(layer.name, () => call.call(layer, inputs, options));
    return { layer, call };
  });
  return () => named.forEach(({ layer, call }) => layer.call = call);
}

/** Makes host tensors tensors of the cpu backend, where the tracer reads them. */
function toCpuTensors(given: HostTensors): TensorMap {
  const previous = tf.getBackend();
  void tf.setBackend("cpu");
  try {
    return Object.fromEntries(
      Object.entries(given).map(([name, { data, shape, dtype }]) => [
        name,
        tf.tensor(data, shape, dtype),
      ]),
    );
  } finally {
    void tf.setBackend(previous || "cpu");
  }
}
