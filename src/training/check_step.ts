/** Checks that networks, latent, data and objective of a training step fit each other. */
import type { RunConfig } from "../config/run_config.ts";
import { UserError } from "../errors.ts";
import type { GanNetworks } from "./gan_state.ts";

/** What a step needs to know of the data. */
export interface SampleSpec {
  /** One sample's shape: `[height, width, channels]` or `[dimension]`. */
  shape: number[];
  /** How many classes, where the data is labeled. */
  classCount?: number;
}

/** What of a config decides whether shapes fit. */
export type ShapeConfig = Pick<RunConfig, "generator" | "discriminator" | "latent" | "objective">;

/**
 * Checks that labels are there where the config uses them.
 * @throws {UserError} when a conditional network gets data without labels
 */
export function checkLabels(conditional: boolean | undefined, sample: SampleSpec): void {
  if (!conditional || sample.classCount) return;
  throw new UserError(
    "Cannot train a conditional network: the data has no labels; use data with classes (sub-folders, " +
      "labels of IDX or CIFAR files, a CSV's label column), or leave conditional away",
  );
}

/**
 * Checks the shapes from the latent to the logits.
 * @throws {UserError} with the first shape that does not fit, and what it should be
 */
export function checkShapes(
  config: ShapeConfig,
  sample: SampleSpec,
  { generator, discriminator }: GanNetworks,
): void {
  const latent = [config.latent.dimension];
  if (!isSame(config.generator.inputShape, latent)) {
    throw new UserError(
      "Cannot build the networks: the generator's inputShape is " +
        `${show(config.generator.inputShape)}, and latent.dimension asks for ${show(latent)}`,
    );
  }
  if (!isSame(generator.outputShape, sample.shape)) {
    const made = show(generator.outputShape);
    throw new UserError(
      `Cannot train on this data: the generator makes ${made}, and one sample is ` +
        `${show(sample.shape)}; use data or data.size and data.channels that give ${made}, or ` +
        "change the networks",
    );
  }
  if (!isSame(config.discriminator.inputShape, sample.shape)) {
    throw new UserError(
      "Cannot train on this data: the discriminator takes " +
        `${show(config.discriminator.inputShape)}, and one sample is ${show(sample.shape)}`,
    );
  }
  const logits = config.objective.classification ? [1 + (sample.classCount ?? 0)] : [1];
  const isMap = discriminator.outputShape.length === 3 && discriminator.outputShape[2] === 1 &&
    !config.objective.classification;
  if (!isMap && !isSame(discriminator.outputShape, logits)) {
    const expected = logits[0] === 1
      ? "one logit, [1], or a map of logits, [height, width, 1]"
      : `a classifier-head, ${show(logits)}`;
    throw new UserError(
      `Cannot build the networks: the discriminator must end in ${expected}, and it ends in ` +
        `${show(discriminator.outputShape)}; a classifier-head goes with objective.classification`,
    );
  }
}

function show(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  return show(a) === show(b);
}
