/** Whether what the networks end in fits what is made of it. */
import type { ActivationName, LayerSpec } from "../config/network.ts";
import type { ObjectiveName } from "../config/objective.ts";
import type { RunConfig } from "../config/run_config.ts";
import { UserError } from "../errors.ts";

/** Layers that move or drop numbers, and leave their range alone. */
const PASSING: readonly LayerSpec["type"][] = ["flatten", "reshape", "dropout", "pixel-shuffle"];

/** Activations with numbers that they never give, in words. */
const RANGES: Partial<Record<ActivationName, string>> = {
  "relu": "numbers from 0 up",
  "relu6": "numbers from 0 to 6",
  "softplus": "numbers above 0",
  "sigmoid": "numbers from 0 to 1",
  "hard-sigmoid": "numbers from 0 to 1",
  "softmax": "shares of 1",
  "tanh": "numbers from -1 to 1",
  "softsign": "numbers from -1 to 1",
};

/** The objective whose targets, 0 and 1, are numbers that activations can give. */
const WITH_TARGETS: ObjectiveName = "least-squares";

/**
 * Refuses last activations that make a game without meaning: a discriminator that gives probabilities
 * where the loss takes logits, or one share of 1 always, and a generator of pictures that can make no
 * dark pixel.
 * @throws {UserError} with the reason and the way out
 */
export function checkEnds(
  { discriminator, generator, objective }: Pick<
    RunConfig,
    "discriminator" | "generator" | "objective"
  >,
): void {
  const verdict = lastActivation(discriminator.layers);
  if (RANGES[verdict] && (objective.name !== WITH_TARGETS || verdict === "softmax")) {
    throw new UserError(
      `Cannot train a discriminator that ends in ${verdict}: it gives ${
        RANGES[verdict]
      }, and the ` +
        `${objective.name} objective takes logits, which may be any number; leave that layer out`,
    );
  }
  const pixel = lastActivation(generator.layers);
  const isDark = pixel === "tanh" || pixel === "softsign";
  if (discriminator.inputShape.length === 3 && RANGES[pixel] && !isDark) {
    throw new UserError(
      `Cannot train a generator of pictures that ends in ${pixel}: it gives ${
        RANGES[pixel]
      }, and ` +
        "pictures have numbers from -1 to 1; end it in tanh",
    );
  }
}

/** The activation that the numbers of the last layer went through. */
function lastActivation(layers: readonly LayerSpec[]): ActivationName {
  const last = layers.findLast(({ type }) => !PASSING.includes(type));
  return last?.type === "activation" ? last.fn : "linear";
}
