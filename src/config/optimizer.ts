/** Optimisers as data. The defaults are PyTorch's. */
import { z } from "zod";

/** Stochastic gradient descent, with optional (Nesterov) momentum. */
export interface SgdSpec {
  /** Which optimiser. */
  type: "sgd";
  /** How far a step goes. */
  learningRate: number;
  /** Default 0. */
  momentum?: number;
  /** Default false. */
  nesterov?: boolean;
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay?: number;
}

/** Adam (Kingma and Ba 2015). */
export interface AdamSpec {
  /** Which optimiser. */
  type: "adam";
  /** How far a step goes. */
  learningRate: number;
  /** Default 0.9. */
  beta1?: number;
  /** Default 0.999. */
  beta2?: number;
  /** Default 1e-8. */
  epsilon?: number;
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay?: number;
}

/** RMSProp (Hinton 2012), not centred. */
export interface RmsPropSpec {
  /** Which optimiser. */
  type: "rmsprop";
  /** How far a step goes. */
  learningRate: number;
  /** Smoothing of the squared gradient. Default 0.99. */
  alpha?: number;
  /** Default 1e-8. */
  epsilon?: number;
  /** Default 0. */
  momentum?: number;
  /** L2 penalty added to the gradient. Default 0. */
  weightDecay?: number;
}

/** How a player's parameters follow its gradients. */
export type OptimizerSpec = SgdSpec | AdamSpec | RmsPropSpec;

const learningRate = z.number().positive();
const fraction = z.number().min(0).lt(1).optional();
const epsilon = z.number().positive().optional();
const weightDecay = z.number().min(0).optional();

/** Checks an {@linkcode OptimizerSpec}. */
export const optimizerSchema: z.ZodType<OptimizerSpec> = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("sgd"),
    learningRate,
    momentum: fraction,
    nesterov: z.boolean().optional(),
    weightDecay,
  }),
  z.strictObject({
    type: z.literal("adam"),
    learningRate,
    beta1: fraction,
    beta2: fraction,
    epsilon,
    weightDecay,
  }),
  z.strictObject({
    type: z.literal("rmsprop"),
    learningRate,
    alpha: fraction,
    epsilon,
    momentum: fraction,
    weightDecay,
  }),
]);
