/** Which objectives and discriminators make no sense together. */
import type { ObjectiveSpec } from "../config/objective.ts";
import { UserError } from "../errors.ts";
import type { Network } from "../nn/mod.ts";
import { objectives } from "./objectives.ts";

const SLOPE_PENALTIES = ["gradientPenalty", "dragan", "r1", "r2"] as const;

/**
 * Refuses combinations that would train without an error and mean nothing.
 *
 * - A target for reals where the objective has none.
 * - A penalty on the slope at each sample where batch norm mixes the samples: the gradient of the sum
 *   of logits is then no sample's own (Gulrajani et al. 2017, section 4).
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
  const penalty = SLOPE_PENALTIES.find((penalty) => spec[penalty] !== undefined);
  if (penalty && discriminator.usesBatchStatistics) {
    const layer = discriminator.layers.find(({ type }) => type.endsWith("batch-norm"))?.name;
    throw new UserError(
      `Cannot train with objective.${penalty}: the discriminator's layer ${layer} mixes the samples ` +
        "of a batch, so no sample has a slope of its own; use layer-norm or instance-norm there, or " +
        `leave ${penalty} out`,
    );
  }
}
