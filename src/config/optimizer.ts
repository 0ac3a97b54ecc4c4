/** Optimizers as data. The defaults are PyTorch's. */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { named, optional } from "./option.ts";

export type { AdamSpec, OptimizerSpec, RmsPropSpec, SgdSpec } from "./types.ts";

const learningRate = z.number().positive().describe("The learning rate.");
const fraction = z.number().min(0).lt(1);
const momentum = (value: number) => optional(fraction, "Momentum.", { default: value });
const epsilon = (value: number) =>
  optional(z.number().positive(), "Added to the denominator.", { default: value });
const weightDecay = (value: number) =>
  optional(z.number().min(0), "The L2 penalty that is added to the gradient.", { default: value });

const sgd = named(
  z.strictObject({
    type: z.literal("sgd").describe("Which optimizer."),
    learningRate,
    momentum: momentum(DEFAULTS.sgd.momentum),
    nesterov: optional(z.boolean(), "Nesterov's momentum.", { default: DEFAULTS.sgd.nesterov }),
    weightDecay: weightDecay(DEFAULTS.sgd.weightDecay),
  }),
  "SgdSpec",
  { meaning: "Stochastic gradient descent, with optional (Nesterov) momentum." },
);
const adam = named(
  z.strictObject({
    type: z.literal("adam").describe("Which optimizer."),
    learningRate,
    beta1: optional(fraction, "Decay of the mean of the gradients.", {
      default: DEFAULTS.adam.beta1,
    }),
    beta2: optional(fraction, "Decay of the mean of the squared gradients.", {
      default: DEFAULTS.adam.beta2,
    }),
    epsilon: epsilon(DEFAULTS.adam.epsilon),
    weightDecay: weightDecay(DEFAULTS.adam.weightDecay),
  }),
  "AdamSpec",
  { meaning: "Adam (Kingma and Ba 2015)." },
);
const rmsprop = named(
  z.strictObject({
    type: z.literal("rmsprop").describe("Which optimizer."),
    learningRate,
    alpha: optional(fraction, "Decay of the mean of the squared gradients.", {
      default: DEFAULTS.rmsprop.alpha,
    }),
    epsilon: epsilon(DEFAULTS.rmsprop.epsilon),
    momentum: momentum(DEFAULTS.rmsprop.momentum),
    weightDecay: weightDecay(DEFAULTS.rmsprop.weightDecay),
  }),
  "RmsPropSpec",
  { meaning: "RMSProp (Hinton 2012), not centered." },
);

/** Checks an {@linkcode OptimizerSpec}. */
export const optimizerSchema = named(
  z.discriminatedUnion("type", [sgd, adam, rmsprop]),
  "OptimizerSpec",
  { meaning: "How a network's parameters follow their gradients." },
);
