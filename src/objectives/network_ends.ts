/** Whether what the networks end in fits what is made of it. */
import type { ActivationName, LayerSpec } from "../config/network.ts";
import type { ObjectiveName } from "../config/objective.ts";
import type { RunConfig } from "../config/run_config.ts";
import { UserError } from "../errors.ts";

/** Layers that move or drop values, and keep their range. */
const PASSING: readonly LayerSpec["type"][] = ["flatten", "reshape", "dropout", "pixel-shuffle"];

/** Activations with a limited range, in words. */
const RANGES: Partial<Record<ActivationName, string>> = {
  "relu": "values from 0 up",
  "relu6": "values from 0 to 6",
  "softplus": "values above 0",
  "sigmoid": "values from 0 to 1",
  "hard-sigmoid": "values from 0 to 1",
  "softmax": "shares of 1",
  "tanh": "values from -1 to 1",
  "softsign": "values from -1 to 1",
};

/** The objective whose targets, 0 and 1, are values that activations can give. */
const WITH_TARGETS: ObjectiveName = "least-squares";

/**
 * Refuses last activations under which training is meaningless: a discriminator that gives probabilities
 * where the loss takes logits, or one share of 1 always, and a generator of images that can make no
 * dark pixel.
 * @throws {UserError} with the reason and the way out
 */
export function checkEnds(
  { discriminator, generator, objective }: Pick<
    RunConfig,
    "discriminator" | "generator" | "objective"
  >,
): void {
  const end = lastActivation(discriminator.layers);
  if (RANGES[end] && (objective.name !== WITH_TARGETS || end === "softmax")) {
    throw new UserError(
      `Cannot train a discriminator that ends in ${end}: it gives ${RANGES[end]}, and the ` +
        `${objective.name} objective takes logits, which may be any number; leave that layer out`,
    );
  }
  const pixel = lastActivation(generator.layers);
  const isDark = pixel === "tanh" || pixel === "softsign";
  if (discriminator.inputShape.length === 3 && RANGES[pixel] && !isDark) {
    throw new UserError(
      `Cannot train a generator of images that ends in ${pixel}: it gives ${RANGES[pixel]}, and ` +
        "pixels are from -1 to 1; end it in tanh",
    );
  }
}

/** The activation that the output went through. */
function lastActivation(layers: readonly LayerSpec[]): ActivationName {
  const last = layers.findLast(({ type }) => !PASSING.includes(type));
  return last?.type === "activation" ? last.fn : "linear";
}
