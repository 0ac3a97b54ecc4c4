/** Which options and networks make no sense together. */
import { DEFAULTS } from "../config/defaults.ts";
import type { ObjectiveName, ObjectiveSpec } from "../config/objective.ts";
import type { AugmentPolicy } from "../config/stability.ts";
import type { RunConfig } from "../config/run_config.ts";
import { UserError } from "../errors.ts";
import { allLayers, LABEL_LAYERS, type LayerSpec } from "../config/network.ts";
import type { Network } from "../nn/mod.ts";
import { checkEnds } from "./network_ends.ts";
import { objectives } from "./objectives.ts";

const GRADIENT_PENALTIES = ["gradientPenalty", "dragan", "r1", "r2"] as const;

/** Objectives under which the sign of an output says whether D takes a sample for real. */
const SIGNED: readonly ObjectiveName[] = ["minimax", "non-saturating", "hinge", "relativistic"];

/**
 * Refuses combinations that would train without an error and mean nothing.
 *
 * - A target for reals where the objective has none.
 * - A penalty on the gradient at each sample where batch norm mixes the samples: the gradient of the sum
 *   of logits is then no sample's own (Gulrajani et al. 2017, section 4).
 * - A critic under `wasserstein` whose gradient nothing bounds: its loss has no minimum (Arjovsky et al.
 *   2017, section 3).
 * @throws {UserError} with the reason and the way out
 */
export function checkObjective(spec: ObjectiveSpec, discriminator: Network): void {
  const { name, realLabel } = spec;
  if (realLabel !== undefined && !objectives[name].hasRealLabel) {
    throw new UserError(
      `Cannot train with objective.realLabel ${realLabel}: the ${name} objective has no target for ` +
        "reals; leave it out, or use non-saturating, minimax or least-squares",
    );
  }
  const penalty = GRADIENT_PENALTIES.find((penalty) => spec[penalty] !== undefined);
  if (spec.penaltyEvery !== undefined && !penalty) {
    throw new UserError(
      `Cannot train with objective.penaltyEvery ${spec.penaltyEvery}: there is no penalty to be lazy ` +
        `about; add one of ${GRADIENT_PENALTIES.join(", ")}, or leave it out`,
    );
  }
  if (penalty && discriminator.usesBatchStatistics) {
    const layer = discriminator.layers.find(({ type }) => type.endsWith("batch-norm"))?.name;
    throw new UserError(
      `Cannot train with objective.${penalty}: the discriminator's layer ${layer} mixes the samples ` +
        "of a batch, so no sample has a gradient of its own; use layer-norm or instance-norm there, or " +
        `leave ${penalty} out`,
    );
  }
  const isBounded = penalty !== undefined || spec.weightClip !== undefined ||
    hasSpectralNorm(discriminator.spec.layers);
  if (name === "wasserstein" && !isBounded) {
    throw new UserError(
      "Cannot train with the wasserstein objective alone: nothing bounds the critic's gradient, so its loss " +
        "falls forever; add objective.gradientPenalty.weight 10, objective.weightClip 0.01, or " +
        "spectralNorm to the critic's layers",
    );
  }
}

function hasSpectralNorm(layers: readonly LayerSpec[]): boolean {
  return allLayers(layers).some((layer) => "spectralNorm" in layer && layer.spectralNorm === true);
}

/** The networks of a run. */
export interface NetworkPair {
  generator: Network;
  discriminator: Network;
}

/** What of a config may contradict itself. */
export type CombinationConfig = Pick<
  RunConfig,
  | "augment"
  | "batchSize"
  | "conditional"
  | "discriminator"
  | "generator"
  | "objective"
  | "pack"
  | "update"
>;

/**
 * Refuses options that do not go together.
 *
 * - Augmentation of points, quarter turns of what is no square, hue and saturation of gray; adaptive
 *   augmentation under an objective whose outputs have no sign.
 * - Packs that leave samples over, or of several classes.
 * - Networks with labels in an unconditional run, and the other way round; a class loss without a classifier.
 * - Last activations that fit neither the objective nor images.
 * - Batch norm of vectors over a batch of one, which gives zeros.
 * - Layers that are random at sampling (dropout, Gumbel softmax) in a discriminator.
 * - Minibatch deviation in a generator, whose samples have no neighbors when it is used, or over reals
 *   and fakes at once.
 * @throws {UserError} with the reason and the way out
 */
export function checkCombination(config: CombinationConfig, networks: NetworkPair): void {
  checkView(config, networks);
  checkClasses(config, networks);
  checkEnds(config);
  checkBatchNorm(config, networks);
  const { generator, discriminator } = networks;
  const deviation = (network: Network) => layerOf(network, "minibatch-stddev");
  if (deviation(generator)) {
    throw new UserError(
      `Cannot use ${
        deviation(generator)
      } in the generator: a sample would depend on the others of its ` +
        "batch, also when it is drawn alone; put it into the discriminator",
    );
  }
  if (discriminator.noiseSize > 0) {
    const layer = layerOf(discriminator, "gumbel-softmax") ?? layerOf(discriminator, "dropout");
    throw new UserError(
      `Cannot use ${layer} in the discriminator: it is random when samples are drawn, where there is no ` +
        "discriminator; leave out atSampling, or give the layer to the generator",
    );
  }
  if (deviation(discriminator) && config.update.discriminatorBatch === "concatenated") {
    throw new UserError(
      `Cannot use ${
        deviation(discriminator)
      } with update.discriminatorBatch concatenated: its groups ` +
        "would mix reals with fakes; use separate",
    );
  }
}

function checkView(config: CombinationConfig, { discriminator }: NetworkPair): void {
  const { augment, batchSize, objective, pack = DEFAULTS.pack } = config;
  if (augment && discriminator.spec.inputShape.length !== 3) {
    throw new UserError(
      `Cannot augment samples of shape [${config.discriminator.inputShape}]: ` +
        `${augment.policies.join(", ")} are for images; leave augment out`,
    );
  }
  if (augment) checkPolicies(augment.policies, config.discriminator.inputShape);
  if (augment?.adaptive && !SIGNED.includes(objective.name)) {
    throw new UserError(
      `Cannot adapt augmentation under the ${objective.name} objective: it goes by the sign of D's ` +
        `outputs, which means nothing there; use ${SIGNED.join(", ")}, or a fixed probability`,
    );
  }
  if (batchSize % pack !== 0) {
    throw new UserError(
      `Cannot pack a batch of ${batchSize} by ${pack}: some samples would be left over; use a ` +
        `batchSize that ${pack} divides, such as ${Math.ceil(batchSize / pack) * pack}`,
    );
  }
  if (pack > 1 && (discriminator.usesLabels || objective.classification)) {
    throw new UserError(
      `Cannot train with pack ${pack}: the samples of a pack have classes of their own, and the ` +
        "discriminator takes one label; leave pack or the discriminator's labels out",
    );
  }
}

function checkBatchNorm(
  { batchSize, pack = DEFAULTS.pack, update }: CombinationConfig,
  networks: NetworkPair,
): void {
  const isJoined = update.discriminatorBatch === "concatenated";
  const seen = { generator: batchSize, discriminator: (isJoined ? 2 : 1) * batchSize / pack };
  for (const network of ["generator", "discriminator"] as const) {
    const layer = networks[network].layers.find(({ type, outputShape }) =>
      type.endsWith("batch-norm") && outputShape.slice(0, -1).every((side) => side === 1)
    );
    if (!layer || seen[network] > 1) continue;
    throw new UserError(
      `Cannot train with a batch of 1 over the ${network}'s layer ${layer.name}: less their mean, its ` +
        "values are all 0; use a larger batchSize, or layer-norm there",
    );
  }
}

/** @param shape `[height, width, channels]` */
function checkPolicies(policies: readonly AugmentPolicy[], shape: readonly number[]): void {
  const [height, width, channels] = shape;
  if (policies.includes("rotate") && height !== width) {
    throw new UserError(
      `Cannot augment by rotate: a quarter turn of ${height} x ${width} pixels has another shape; leave it ` +
        "out, or cut the images to squares",
    );
  }
  const colorPolicy = policies.find((policy) => policy === "hue" || policy === "saturation");
  if (colorPolicy && channels !== 3) {
    throw new UserError(
      `Cannot augment by ${colorPolicy}: it needs 3 channels, and these images have ${channels}; leave it out`,
    );
  }
}

function checkClasses(
  config: CombinationConfig,
  { generator, discriminator }: NetworkPair,
): void {
  const { conditional = DEFAULTS.conditional, objective } = config;
  const labeled = [generator, discriminator].find((network) => network.usesLabels);
  if (labeled && !conditional) {
    const layer = labeled.layers.find(({ type }) => LABEL_LAYERS.includes(type))?.name;
    throw new UserError(
      `Cannot train unconditionally: the ${
        labeled === generator ? "generator" : "discriminator"
      }'s ` +
        `layer ${layer} takes class labels; set conditional to true, or use another layer`,
    );
  }
  const head = layerOf(discriminator, "classifier-head");
  if (objective.classification && !(head && conditional)) {
    throw new UserError(
      "Cannot train with objective.classification: it needs conditional true and a discriminator that " +
        "ends in a classifier-head",
    );
  }
  if (conditional && !generator.usesLabels) {
    throw new UserError(
      "Cannot train conditionally: no layer of the generator takes labels, so it could not tell what " +
        "to make; add a label-embedding or use conditional-batch-norm",
    );
  }
  if (conditional && !discriminator.usesLabels && !head) {
    throw new UserError(
      "Cannot train conditionally: no layer of the discriminator takes labels, so nothing would make " +
        "a sample fit its class; end it in a projection-head or a classifier-head",
    );
  }
}

/** The name of the first layer of a type. */
function layerOf(network: Network, type: string): string | undefined {
  return network.layers.find((layer) => layer.type === type)?.name;
}
