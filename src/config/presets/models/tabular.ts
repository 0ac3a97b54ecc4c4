/**
 * CTGAN (Xu et al. 2019): rows of a table with numbers and names. Numbers by their mode (one-hot) and
 * the distance from it, names as Gumbel-softmax choices, conditions on one category, WGAN-GP over packs of
 * ten rows.
 */
import { adam, leakyRelu, relu, tanh } from "../builders.ts";
import type { LayerSpec } from "../../network.ts";
import type { ConditionedChoice, ModelSpec } from "../../types.ts";

/** How the rows of a table are laid out, as `tableData()` says. */
export interface RowShape {
  /** Values of a row. */
  width: number;
  /** How many values come first that are no choices. */
  scalars: number;
  /** Where each choice starts, and how many entries it has. */
  choices: { offset: number; size: number }[];
  /** Values of a condition. */
  conditionWidth: number;
  /** The choices that conditions name. */
  conditioned: ConditionedChoice[];
}

/** Options of {@linkcode tabularModel}. */
export interface TabularOptions {
  /** Values of the latent. Default 128. */
  latentDimension?: number;
  /** Units of each hidden layer of the generator. Default 256, 256. */
  generatorUnits?: readonly number[];
  /** Units of each hidden layer of the discriminator. Default 256, 256. */
  discriminatorUnits?: readonly number[];
  /** Rows that the discriminator sees at once, which divides the batch. Default 10. */
  pack?: number;
  /** The weight of the gradient penalty. Default 10. */
  penaltyWeight?: number;
}

/** The temperature of the choices. */
const TEMPERATURE = 0.2;

/** The model of rows: inputs `latent`, `condition` and, in training, `row`; output `fakeRow`. */
export function tabularModel(shape: RowShape, options: TabularOptions = {}): ModelSpec {
  const { latentDimension = 128, generatorUnits = [256, 256] } = options;
  const { discriminatorUnits = [256, 256], pack = 10, penaltyWeight = 10 } = options;
  const { width, scalars, choices, conditionWidth } = shape;
  const isConditional = conditionWidth > 0;
  const withCondition = (value: string) => isConditional ? [value, "condition"] : [value];
  const hidden = latentDimension + conditionWidth +
    generatorUnits.reduce((sum, units) => sum + units, 0);
  const whole = scalars > 0;
  return {
    networks: {
      generator: {
        inputShape: [latentDimension + conditionWidth],
        init: "torch",
        layers: generatorUnits.map((units): LayerSpec => ({
          type: "concat-skip",
          body: [{ type: "dense", units }, { type: "batch-norm" }, relu],
        })),
      },
      ...(whole
        ? {
          scalars: {
            inputShape: [hidden],
            init: "torch" as const,
            layers: [{ type: "dense" as const, units: scalars }, tanh],
          },
        }
        : {}),
      choices: {
        inputShape: [hidden],
        init: "torch",
        layers: [{ type: "dense", units: width - scalars }],
      },
      choose: {
        inputShape: [width - scalars],
        init: "torch",
        layers: [{
          type: "gumbel-softmax",
          groups: choices.map(({ offset, size }) => [offset - scalars, size]),
          temperature: TEMPERATURE,
        }],
      },
      discriminator: {
        inputShape: [pack * (width + conditionWidth)],
        init: "torch",
        layers: [
          ...discriminatorUnits.flatMap((units): LayerSpec[] => [
            { type: "dense", units },
            leakyRelu(),
            { type: "dropout", rate: 0.5 },
          ]),
          { type: "dense", units: 1 },
        ],
      },
    },
    latent: { dimension: latentDimension, distribution: "normal" },
    values: {
      features: { op: "network", network: "generator", input: withCondition("latent") },
      choiceLogits: { op: "network", network: "choices", input: "features" },
      chosen: { op: "network", network: "choose", input: "choiceLogits" },
      ...(whole
        ? {
          numbers: { op: "network" as const, network: "scalars", input: "features" },
          fakeRow: { op: "join" as const, of: ["numbers", "chosen"] },
        }
        : { fakeRow: { op: "network" as const, network: "choose", input: "choiceLogits" } }),
      ...(isConditional
        ? {
          realOne: { op: "join" as const, of: ["row", "condition"] },
          fakeOne: { op: "join" as const, of: ["fakeRow", "condition"] },
        }
        : {}),
      realPack: { op: "pack", of: isConditional ? "realOne" : "row", count: pack },
      fakePack: { op: "pack", of: isConditional ? "fakeOne" : "fakeRow", count: pack },
      realLogits: { op: "network", network: "discriminator", input: "realPack" },
      fakeLogits: { op: "network", network: "discriminator", input: "fakePack" },
    },
    updates: [
      {
        name: "discriminator",
        networks: ["discriminator"],
        optimizer: ADAM,
        terms: [
          {
            name: "dAdversarial",
            loss: "discriminator",
            objective: "wasserstein",
            real: "realLogits",
            fake: "fakeLogits",
          },
          {
            name: "penalty",
            loss: "gradient-penalty",
            network: "discriminator",
            real: "realPack",
            fake: "fakePack",
            weight: penaltyWeight,
          },
        ],
      },
      {
        name: "generator",
        networks: ["generator", ...(whole ? ["scalars"] : []), "choices"],
        optimizer: { ...ADAM, weightDecay: 1e-6 },
        terms: [
          { name: "gAdversarial", loss: "generator", objective: "wasserstein", fake: "fakeLogits" },
          ...(isConditional
            ? [{
              name: "conditionLoss",
              loss: "condition" as const,
              logits: "choiceLogits",
              condition: "condition",
              choices: shape.conditioned.map((choice) => ({
                ...choice,
                rowOffset: choice.rowOffset - scalars,
              })),
            }]
            : []),
        ],
      },
    ],
    output: "fakeRow",
  };
}

const ADAM = adam(2e-4, { beta1: 0.5, beta2: 0.9 });
