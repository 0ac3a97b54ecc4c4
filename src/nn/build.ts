/** From a network's description to a network: names, shapes and parameters, checked layer by layer. */
import { elementCount } from "../bytes.ts";
import { LABEL_LAYERS, type LayerSpec, type NetworkSpec } from "../config/network.ts";
import { UserError } from "../errors.ts";
import { buildActivation, buildPrelu } from "./layers/activation.ts";
import { buildConv, buildConvTranspose, buildDepthwiseConv } from "./layers/conv.ts";
import { buildDense, buildMaxout } from "./layers/dense.ts";
import { buildClassifierHead, buildProjectionHead } from "./layers/heads.ts";
import {
  buildConcatSkip,
  buildLabelEmbedding,
  buildMinibatchStddev,
  buildResidual,
  buildSelfAttention,
} from "./layers/mixing.ts";
import { buildDropout, buildGaussianNoise, buildGumbelSoftmax } from "./layers/noise.ts";
import {
  buildBatchNorm,
  buildConditionalBatchNorm,
  buildGroupNorm,
  buildInstanceNorm,
  buildLayerNorm,
} from "./layers/normalization.ts";
import {
  buildAvgPool,
  buildGlobalAvgPool,
  buildGlobalSumPool,
  buildMaxPool,
} from "./layers/pooling.ts";
import {
  buildFlatten,
  buildPad,
  buildPixelShuffle,
  buildReshape,
  buildUpsample,
} from "./layers/shape.ts";
import { settleBiases } from "./offsets.ts";
import type {
  BuiltBlock,
  BuiltLayer,
  Forward,
  LayerScope,
  LayerSummary,
  Network,
  Parameter,
  SpecOf,
} from "./types.ts";

type LayerType = LayerSpec["type"];

type LayerBuilder<Type extends LayerType> = (
  spec: SpecOf<Type>,
  scope: LayerScope,
) => BuiltLayer;

const BUILDERS: { [Type in LayerType]: LayerBuilder<Type> } = {
  "dense": buildDense,
  "maxout": buildMaxout,
  "conv": buildConv,
  "depthwise-conv": buildDepthwiseConv,
  "conv-transpose": buildConvTranspose,
  "batch-norm": buildBatchNorm,
  "conditional-batch-norm": buildConditionalBatchNorm,
  "layer-norm": buildLayerNorm,
  "instance-norm": buildInstanceNorm,
  "group-norm": buildGroupNorm,
  "activation": buildActivation,
  "prelu": buildPrelu,
  "gumbel-softmax": buildGumbelSoftmax,
  "dropout": buildDropout,
  "flatten": buildFlatten,
  "reshape": buildReshape,
  "upsample": buildUpsample,
  "pixel-shuffle": buildPixelShuffle,
  "pad": buildPad,
  "avg-pool": buildAvgPool,
  "max-pool": buildMaxPool,
  "global-avg-pool": buildGlobalAvgPool,
  "global-sum-pool": buildGlobalSumPool,
  "residual": buildResidual,
  "concat-skip": buildConcatSkip,
  "self-attention": buildSelfAttention,
  "label-embedding": buildLabelEmbedding,
  "projection-head": buildProjectionHead,
  "classifier-head": buildClassifierHead,
  "minibatch-stddev": buildMinibatchStddev,
  "gaussian-noise": buildGaussianNoise,
};

const BATCH_STATISTICS_LAYERS: readonly LayerType[] = ["batch-norm", "conditional-batch-norm"];

function buildLayer<Type extends LayerType>(
  spec: SpecOf<Type>,
  scope: LayerScope,
): BuiltLayer {
  const build: LayerBuilder<Type> = BUILDERS[spec.type as Type];
  return build(spec, scope);
}

/** Where layers are built. */
interface Place extends Pick<LayerScope, "inputShape" | "biases"> {
  /** Of the layer that they are in, with a slash at its end; "" for the network. */
  path: string;
  /** The block of that layer. */
  block: string;
}

/** Collects parameters and summaries while layers are built. */
class NetworkBuilder {
  readonly parameters: Parameter[] = [];
  readonly layers: LayerSummary[] = [];
  noiseSize = 0;
  readonly #spec: NetworkSpec;

  constructor(spec: NetworkSpec) {
    this.#spec = spec;
  }

  /** Builds layers one after another. */
  sequence(specs: LayerSpec[], { inputShape, biases: incoming, path, block }: Place): BuiltBlock {
    const counts = new Map<LayerType, number>();
    const names = new Set<string>();
    const steps: Forward[] = [];
    let shape = inputShape;
    let biases = incoming;
    for (const spec of specs) {
      const number = (counts.get(spec.type) ?? 0) + 1;
      counts.set(spec.type, number);
      const name = spec.name ?? `${spec.type}_${number}`;
      const localName = block === "" ? name : `${block}/${name}`;
      const fullName = path + localName;
      const scope = this.#scope(fullName, spec, { inputShape: shape, biases });
      if (names.has(name)) scope.fail("an earlier layer has the same name: give it another");
      names.add(name);
      const layer = buildLayer(spec, scope);
      this.layers.push({
        name: fullName,
        type: spec.type,
        outputShape: layer.outputShape,
        parameterCount: scope.parameterCount(),
        flops: layer.flops,
      });
      steps.push((x, call) => {
        const forward = call.compact && layer.compact || layer.forward;
        return call.enterLayer
          ? call.enterLayer(localName, () => forward(x, call))
          : forward(x, call);
      });
      shape = layer.outputShape;
      biases = settleBiases(biases, layer);
    }
    return {
      outputShape: shape,
      biases,
      forward: (x, call) => steps.reduce((value, step) => step(value, call), x),
    };
  }

  #scope(
    path: string,
    spec: LayerSpec,
    input: Pick<LayerScope, "inputShape" | "biases">,
  ): LayerScope & { parameterCount(): number } {
    const network = this.#spec;
    const { inputShape } = input;
    let parameterCount = 0;
    const scope: LayerScope & { parameterCount(): number } = {
      ...input,
      defaultInit: network.init,
      parameterCount: () => parameterCount,
      classCount: () =>
        network.classCount ??
          scope.fail("it needs class labels: set the network's classCount"),
      parameter: (name, shape, init, { trainable = true } = {}) => {
        const fullName = `${path}/${name}`;
        this.parameters.push({ name: fullName, shape, trainable, init });
        parameterCount += elementCount(shape);
        return fullName;
      },
      noise: (size) => {
        const first = this.noiseSize;
        this.noiseSize += size;
        return first;
      },
      block: (block, layers) => this.sequence(layers, { ...input, path: `${path}/`, block }),
      fail: (problem) => {
        throw new UserError(
          `Layer ${path} (${spec.type}) does not fit an input of shape ` +
            `${JSON.stringify(inputShape)}: ${problem}`,
        );
      },
    };
    return scope;
  }
}

/**
 * Builds a network: infers every shape and declares every parameter.
 * @throws {UserError} where a layer does not fit what comes in; the message names the layer
 */
export function buildNetwork(spec: NetworkSpec): Network {
  const builder = new NetworkBuilder(spec);
  const { inputShape } = spec;
  const whole = builder.sequence(spec.layers, { inputShape, biases: [], path: "", block: "" });
  const { outputShape, forward } = whole;
  for (const bias of whole.biases) bias.counts = true;
  const has = (types: readonly LayerType[]): boolean =>
    builder.layers.some((layer) => types.includes(layer.type));
  return {
    spec,
    parameters: builder.parameters,
    outputShape,
    layers: builder.layers,
    usesLabels: has(LABEL_LAYERS),
    usesBatchStatistics: has(BATCH_STATISTICS_LAYERS),
    noiseSize: builder.noiseSize,
    forward,
  };
}
