/**
 * A small classifier that is trained on the labels of the data, in seconds, on the CPU: for the
 * histogram of classes, a score like Inception's, and features that know what the data are about. How
 * good it is on images that it has not seen comes with it: what it says is worth no more than that.
 */
import type { AdamSpec } from "../config/optimizer.ts";
import type { DataSource } from "../data/source.ts";
import { tf } from "../tensor/tf.ts";
import type { Engine, StepInputs, StepProgram } from "../engine/types.ts";
import type { HostTensors } from "../tensor/types.ts";
import {
  applyNetwork,
  buildNetwork,
  initialParameters,
  type Network,
  valueAndGradients,
} from "../nn/mod.ts";
import { permutation, STREAMS } from "../random/counter_random.ts";
import {
  applyUpdate,
  hyperparameterCount,
  hyperparameters,
  initialSlots,
} from "../training/optimizers.ts";
import { section, withPrefix } from "../training/tensor_names.ts";
import {
  type Extracted,
  EXTRACTION_BATCH,
  type FeatureExtractor,
  featureNetwork,
  OWN_FEATURES,
  softmaxRows,
} from "./features.ts";
import { compileNetwork, type NetworkRunner } from "./generate.ts";
import type { WeightsStore } from "./kept_weights.ts";
import { type PixelBatch, pixelsOf, realBatches, toTensor } from "./pixels.ts";

/** A trained classifier. Its features are what its last layer sees, scaled to a mean square of 1. */
export interface Classifier extends FeatureExtractor {
  readonly classNames: readonly string[];
  /** Share of the held-out images that it classifies correctly. */
  readonly accuracy: number;
  /** Images that it was not trained on. */
  readonly heldOutCount: number;
  /** Images that it was trained on. */
  readonly trainingCount: number;
  /** The network whose output the features are, `[N, height, width, channels]` in [-1, 1] to `[N, 64]`. */
  readonly featureNetwork: { readonly network: Network; readonly weights: HostTensors };
}

/** Fewer images a class than this teach nothing. */
const IMAGES_PER_CLASS = 20;
const BATCH = 64;
/** Every training image is seen about so often, within the bounds on steps. */
const EPOCHS = 3;
const STEPS = { min: 200, max: 600 };
/** Steps whose inputs are in memory at once. */
const STEPS_A_CALL = 50;
const HELD_OUT = { share: 0.2, max: 2000 };
const OPTIMIZER: AdamSpec = { type: "adam", learningRate: 2e-3 };

/** Whether there are labels to learn from, and enough images. */
export function canClassify(data: DataSource): boolean {
  const classes = data.classNames?.length ?? 0;
  return data.kind === "image" && classes >= 2 && data.count >= IMAGES_PER_CLASS * classes;
}

/**
 * Trains a classifier on the data. The same data give the same classifier on the same machine.
 * @param data images for which {@linkcode canClassify} holds
 * @param store where weights of the same data may be, and go
 */
export async function trainClassifier(
  engine: Engine,
  data: DataSource,
  store?: WeightsStore,
): Promise<Classifier> {
  const classNames = data.classNames!;
  const classes = classNames.length;
  const order = permutation(data.count, { seed: 0, stream: STREAMS.evaluation, step: 0 });
  const heldOutCount = Math.min(HELD_OUT.max, Math.floor(HELD_OUT.share * data.count));
  const heldOut = order.subarray(0, heldOutCount);
  const training = order.subarray(heldOutCount);

  const { inputShape, init, layers } = featureNetwork(data.shape);
  const body = buildNetwork({
    inputShape,
    init,
    layers: [...layers, { type: "activation", fn: "relu" }],
  });
  const head = buildNetwork({
    inputShape: body.outputShape,
    init: "glorot-uniform",
    layers: [{ type: "dense", units: classes }],
  });
  const start: HostTensors = {
    ...withPrefix("body", initialParameters(body, 1)),
    ...withPrefix("head", initialParameters(head, 1, body.parameters.length)),
  };
  const kept = await store?.read(start);
  const weights = kept ?? await fit(engine, { body, head, data, training, start });
  if (!kept) await store?.write(weights);
  const runner = await compileNetwork(engine, body, EXTRACTION_BATCH);
  const { classify, scale } = await calibrate(
    runner,
    weights,
    pixelsOf(data, training.subarray(0, 1000)),
  );
  const classifier: Classifier = {
    name: `own-classifier-${OWN_FEATURES}`,
    description:
      `a small network that ganforge trained on the labels of ${training.length} images of ` +
      "the data, on pixels as they are, in [-1, 1]; not Inception",
    dimensions: OWN_FEATURES,
    classes,
    classNames,
    accuracy: 0,
    heldOutCount,
    trainingCount: training.length,
    featureNetwork: { network: body, weights: scaledFeatures(section(weights, "body"), scale) },
    extract: classify,
    dispose: () => runner.dispose(),
  };
  return { ...classifier, accuracy: await accuracyOf(classifier, data, heldOut) };
}

/**
 * Brings the features to a mean square of 1 over some images: training lets them grow as it likes, and the
 * kernel distance takes their third power.
 */
async function calibrate(
  runner: NetworkRunner,
  weights: HostTensors,
  images: PixelBatch,
): Promise<{ classify: (batch: PixelBatch) => Promise<Required<Extracted>>; scale: number }> {
  const own = section(weights, "body");
  const { "dense_1/kernel": kernel, "dense_1/bias": bias } = section(weights, "head");
  const classes = bias.data.length;
  const featuresOf = async (batch: PixelBatch): Promise<Float32Array> =>
    (await runner.run(own, toTensor(batch))).data as Float32Array;
  const some = await featuresOf(images);
  const scale = Math.sqrt(some.reduce((sum, value) => sum + value * value, 0) / some.length) || 1;

  /** What the head makes of features, summed in float64. */
  function logitsOf(features: Float32Array): Float64Array {
    const logits = new Float64Array(features.length / OWN_FEATURES * classes);
    for (let at = 0; at < logits.length; at++) {
      const row = Math.floor(at / classes) * OWN_FEATURES;
      let sum = bias.data[at % classes];
      for (let k = 0; k < OWN_FEATURES; k++) {
        sum += features[row + k] * kernel.data[k * classes + at % classes];
      }
      logits[at] = sum;
    }
    return logits;
  }

  const classify = async (batch: PixelBatch) => {
    const features = await featuresOf(batch);
    const probabilities = softmaxRows(logitsOf(features), classes);
    return { features: features.map((value) => value / scale), probabilities };
  };
  return { classify, scale };
}

/** The weights whose features are smaller by a factor: the ReLU at the end passes it on. */
function scaledFeatures(weights: HostTensors, scale: number): HostTensors {
  const last = ["dense_1/kernel", "dense_1/bias"];
  return Object.fromEntries(
    Object.entries(weights).map(([name, tensor]) => {
      if (!last.includes(name)) return [name, tensor];
      const data = (tensor.data as Float32Array).map((value) => value / scale);
      return [name, { ...tensor, data }];
    }),
  );
}

interface Fit {
  body: Network;
  head: Network;
  data: DataSource;
  /** The images to train on. */
  training: Uint32Array;
  /** The weights to start from. */
  start: HostTensors;
}

/** Minimizes the cross-entropy by Adam, its learning rate falling linearly to 0. */
async function fit(
  engine: Engine,
  { body, head, data, training, start }: Fit,
): Promise<HostTensors> {
  const classes = head.outputShape[0];
  const state = {
    ...withPrefix("weights", start),
    ...withPrefix("slots", initialSlots(OPTIMIZER, start)),
  };
  const passes = EPOCHS * training.length / BATCH;
  const steps = Math.ceil(Math.min(STEPS.max, Math.max(STEPS.min, passes)));
  const compiled = await engine.compileStep(classifierStep(body, head), state, 0);
  try {
    const inputsOf = (step: number): StepInputs => {
      const indices = Uint32Array.from(
        { length: BATCH },
        (_, i) => training[(step * BATCH + i) % training.length],
      );
      const target = new Float32Array(BATCH * classes);
      indices.forEach((index, i) => target[i * classes + data.labels![index]] = 1);
      return {
        images: toTensor(pixelsOf(data, indices)).data,
        target,
        hyper: hyperparameters(OPTIMIZER, step + 1, 1 - step / steps),
      };
    };
    for (let first = 0; first < steps; first += STEPS_A_CALL) {
      const length = Math.min(STEPS_A_CALL, steps - first);
      await compiled.run(Array.from({ length }, (_, i) => inputsOf(first + i)), first);
    }
    return section(await compiled.readState(), "weights");
  } finally {
    await compiled.dispose();
  }
}

function classifierStep(body: Network, head: Network): StepProgram {
  const classes = head.outputShape[0];
  return {
    inputs: {
      images: { shape: [BATCH, ...body.spec.inputShape], dtype: "float32" },
      target: { shape: [BATCH, classes], dtype: "float32" },
      hyper: { shape: [hyperparameterCount(OPTIMIZER)], dtype: "float32" },
    },
    step(state, { images, target, hyper }) {
      const weights = section(state, "weights");
      const { loss, grads } = valueAndGradients((given) => {
        const context = { training: true };
        const features = applyNetwork(body, section(given, "body"), images, context).output;
        const logits = applyNetwork(head, section(given, "head"), features, context).output;
        const wanted = tf.sum(tf.mul(logits, target), -1);
        const loss = tf.mean(tf.sub(tf.logSumExp(logits, -1), wanted)) as tf.Scalar;
        return { loss, aux: {} };
      }, weights);
      const slots = section(state, "slots");
      const updated = applyUpdate(OPTIMIZER, weights, {
        grads,
        slots,
        hyper: hyper as tf.Tensor1D,
      });
      return {
        state: {
          ...withPrefix("weights", updated.params),
          ...withPrefix("slots", updated.slots),
        },
        scalars: { loss },
      };
    },
  };
}

async function accuracyOf(
  classifier: Classifier,
  data: DataSource,
  indices: Uint32Array,
): Promise<number> {
  let right = 0;
  let at = 0;
  for (const batch of realBatches(data, indices)) {
    const { probabilities } = await classifier.extract(batch);
    for (const predicted of likeliest(probabilities!, classifier.classes)) {
      if (predicted === data.labels![indices[at++]]) right++;
    }
  }
  return right / indices.length;
}

/** The likeliest class of each row. @param probabilities `[n, classes]` @returns `[n]` */
export function likeliest(probabilities: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: probabilities.length / classes }, (_, row) => {
    const own = probabilities.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}
