/**
 * One training step of a model: each update in the order of the spec, as a pure function that any engine
 * runs.
 *
 * State names: `<network>/...` (parameters and buffers), `<update>Optimizer/...`, `ema/<network>/...`
 * where an EMA is kept, and `history/<value>/...`.
 */
import type { EmaSpec } from "../../config/run_config.ts";
import type { LearningRateSpec } from "../../config/learning_rate.ts";
import type { StepProgram } from "../../engine/types.ts";
import { initialParameters, type Network, valueAndGradients } from "../../nn/mod.ts";
import { tf } from "../../tensor/tf.ts";
import type { HostTensors, StepRandom, TensorMap, TensorSpec } from "../../tensor/types.ts";
import { emaDecay, updateEma } from "../ema.ts";
import { trainable } from "../gan_state.ts";
import type { ScheduleContext } from "../host_inputs.ts";
import { applyUpdate, hyperparameterCount, hyperparameters, initialSlots } from "../optimizers.ts";
import { learningRateScale } from "../schedule.ts";
import { section, withPrefix } from "../tensor_names.ts";
import { buildModel } from "./build_model.ts";
import { emptyHistory, showThroughHistory } from "./image_history.ts";
import type { ModelSpec, ModelUpdateSpec, TermSpec } from "../../config/model.ts";
import { termLoss } from "./terms.ts";
import { networksOf, StepValues } from "./values.ts";

/** What of a run's config decides a model's step. */
export interface ModelStepConfig {
  model: ModelSpec;
  batchSize: number;
  ema?: EmaSpec;
  learningRateSchedule?: LearningRateSpec;
}

/** A model's step, its networks, and what the host contributes to it. */
export interface ModelStep {
  program: StepProgram;
  networks: Record<string, Network>;
  /** Names of the inputs that are data. */
  dataInputs: string[];
  /** One sample's shape of each input, the latent's among them. */
  inputShapes: Readonly<Record<string, readonly number[]>>;
  samplesPerStep: number;
  /** Parameters, optimizer state and histories before the first step. */
  initialState(seed: number): HostTensors;
  /** Whether a step (counted from 0) measures a scalar: terms come in at steps of their own. */
  measures(scalar: string, step: number): boolean;
  /** The inputs that are not data, at a step counted from 0. */
  hostInputs(step: number, context: ScheduleContext): Record<string, Float32Array>;
}

/**
 * Builds the step.
 * @param inputShapes one sample's shape of each input that is data
 * @throws {UserError} when names or shapes do not fit
 */
export function buildModelStep(
  config: ModelStepConfig,
  inputShapes: Readonly<Record<string, readonly number[]>>,
): ModelStep {
  const { model, batchSize, ema } = config;
  const built = buildModel(model, { inputShapes, batchSize });
  const { networks, shapes, dataInputs, histories } = built;
  const inputs: Record<string, TensorSpec> = {};
  for (const name of dataInputs) {
    inputs[name] = { shape: [batchSize, ...inputShapes[name]], dtype: "float32" };
  }
  for (const { name, optimizer } of model.updates) {
    inputs[`${name}Hyper`] = { shape: [hyperparameterCount(optimizer)], dtype: "float32" };
  }
  if (ema) inputs.emaDecay = { shape: [], dtype: "float32" };
  const starts = phaseStarts(model);

  function step(state: TensorMap, given: TensorMap, random: StepRandom, kind: string) {
    const params = Object.fromEntries(
      Object.keys(networks).map((name) => [name, section(state, name)]),
    );
    const slots = new Map<string, TensorMap>();
    const nextHistories: TensorMap = {};
    const scalars: TensorMap = {};
    let carried: TensorMap = {}; // values of earlier updates whose networks have not changed since
    const pastSources: TensorMap = {}; // what histories show, as it was first computed
    const stepInputs: TensorMap = Object.fromEntries(dataInputs.map((name) => [name, given[name]]));
    if (model.latent) {
      const shape = [batchSize, model.latent.dimension];
      stepInputs.latent = model.latent.distribution === "normal"
        ? random.normal(shape)
        : random.uniform(shape);
    }
    for (const update of model.updates) {
      const ownSlots = section(state, `${update.name}Optimizer`);
      const terms = termsOf(update, starts[Number(kind)]);
      if (terms.length === 0) {
        slots.set(update.name, ownSlots);
        continue;
      }
      for (const [name, { of, size }] of Object.entries(histories)) {
        if (pastSources[of] === undefined || nextHistories[`${name}/count`] !== undefined) continue;
        const result = showThroughHistory(pastSources[of], section(state, `history/${name}`), {
          slots: given[`slots${size}`],
          random,
        });
        carried[name] = result.shown;
        Object.assign(nextHistories, withPrefix(name, result.history));
      }
      const result = runUpdate({ ...update, terms }, {
        built,
        model,
        params,
        slots: ownSlots,
        hyper: given[`${update.name}Hyper`] as tf.Tensor1D,
        inputs: stepInputs,
        given: independentOf(update.networks, { model, values: carried }),
        random,
      });
      Object.assign(params, result.params);
      slots.set(update.name, result.slots);
      Object.assign(scalars, result.scalars);
      for (const { of } of Object.values(histories)) pastSources[of] ??= result.computed[of];
      carried = independentOf(update.networks, {
        model,
        values: { ...carried, ...result.computed },
      });
    }
    const next: TensorMap = {};
    for (const [name, values] of Object.entries(params)) {
      Object.assign(next, withPrefix(name, values));
    }
    for (const [name, values] of slots) Object.assign(next, withPrefix(`${name}Optimizer`, values));
    for (const name of Object.keys(histories)) {
      const before = section(state, `history/${name}`);
      const after = section(nextHistories, name);
      Object.assign(next, withPrefix(`history/${name}`, { ...before, ...after }));
    }
    if (ema) {
      for (const name of built.outputNetworks) {
        const averaged = updateEma(networks[name], section(state, `ema/${name}`), {
          params: params[name],
          decay: given.emaDecay,
        });
        Object.assign(next, withPrefix(`ema/${name}`, averaged));
      }
    }
    return { state: next, scalars };
  }

  return {
    program: {
      step,
      inputs,
      constants: built.constants,
      kindOf: (number) => String(starts.findLastIndex((start) => start <= number)),
    },
    networks,
    dataInputs,
    inputShapes: shapes,
    samplesPerStep: batchSize,
    initialState(seed) {
      const state: HostTensors = {};
      let first = 0;
      for (const [name, network] of Object.entries(networks)) {
        const initial = initialParameters(network, seed, first);
        first += network.parameters.length;
        Object.assign(state, withPrefix(name, initial));
      }
      for (const { name, networks: own, optimizer } of model.updates) {
        const changed = Object.assign(
          {},
          ...own.map((network) =>
            withPrefix(network, trainable(networks[network], section(state, network)))
          ),
        );
        Object.assign(state, withPrefix(`${name}Optimizer`, initialSlots(optimizer, changed)));
      }
      for (const [name, { of, size }] of Object.entries(histories)) {
        Object.assign(state, withPrefix(`history/${name}`, emptyHistory(size, shapes[of])));
      }
      if (ema) {
        for (const name of built.outputNetworks) {
          const copies = Object.entries(section(state, name)).map(([parameter, tensor]) =>
            [parameter, { ...tensor, data: tensor.data.slice() }] as const
          );
          Object.assign(state, withPrefix(`ema/${name}`, Object.fromEntries(copies)));
        }
      }
      return state;
    },
    measures(scalar, number) {
      return model.updates.some((update) => {
        const terms = termsOf(update, number);
        return terms.length > 0 &&
          (scalar === `${update.name}Loss` || terms.some(({ name }) => name === scalar));
      });
    },
    hostInputs(number, { totalSteps, learningRateFactor = 1 }) {
      const schedule = config.learningRateSchedule;
      if (schedule && totalSteps === undefined) {
        throw new TypeError("A learning rate schedule needs the run's totalSteps");
      }
      const scale = learningRateFactor * learningRateScale(schedule, {
        step: number,
        totalSteps: totalSteps ?? 1,
      });
      const result: Record<string, Float32Array> = {};
      for (const { name, optimizer, terms } of model.updates) {
        const start = Math.min(...terms.map(({ fromStep = 0 }) => fromStep));
        const updates = Math.max(1, number - start + 1);
        result[`${name}Hyper`] = hyperparameters(optimizer, updates, scale);
      }
      if (ema) result.emaDecay = Float32Array.of(emaDecay(ema, batchSize, number));
      return result;
    },
  };
}

/** The steps at which a term comes in, from 0 on: each starts a kind of steps. */
function phaseStarts(model: ModelSpec): number[] {
  const starts = model.updates.flatMap(({ terms }) => terms.map(({ fromStep = 0 }) => fromStep));
  return [...new Set([0, ...starts])].sort((a, b) => a - b);
}

function termsOf(update: ModelUpdateSpec, start: number): TermSpec[] {
  return update.terms.filter(({ fromStep = 0 }) => fromStep <= start);
}

/**
 * The values that none of these networks makes. After an update of the networks the others are stale;
 * before it, a gradient has to flow through them.
 */
function independentOf(
  networks: readonly string[],
  { model, values }: { model: ModelSpec; values: TensorMap },
): TensorMap {
  const kept = Object.entries(values).filter(([name]) => {
    const made = networksOf(model, name);
    return !networks.some((network) => made.has(network));
  });
  return Object.fromEntries(kept);
}

interface UpdateGiven {
  built: ReturnType<typeof buildModel>;
  model: ModelSpec;
  params: Record<string, TensorMap>;
  slots: TensorMap;
  hyper: tf.Tensor1D;
  inputs: TensorMap;
  given: TensorMap;
  random: StepRandom;
}

function runUpdate(update: ModelUpdateSpec, given: UpdateGiven) {
  const { built: { networks }, model, params, slots, hyper, inputs, random } = given;
  const changed: TensorMap = Object.assign(
    {},
    ...update.networks.map((name) => withPrefix(name, trainable(networks[name], params[name]))),
  );
  const { aux, grads, loss } = valueAndGradients((weights) => {
    const own = Object.fromEntries(
      update.networks.map((name) => [name, { ...params[name], ...section(weights, name) }]),
    );
    const values = new StepValues({
      spec: model,
      networks,
      params: { ...params, ...own },
      inputs,
      given: given.given,
      context: { training: true, random },
    });
    const scalars: TensorMap = {};
    let total: tf.Tensor | undefined;
    for (const term of update.terms) {
      const value = termLoss(term, values, random);
      scalars[term.name] = value;
      const weighted = term.weight === undefined ? value : tf.mul(value, term.weight);
      total = total === undefined ? weighted : tf.add(total, weighted);
    }
    const buffers: TensorMap = Object.assign(
      {},
      ...Object.keys(networks).map((name) => withPrefix(name, values.buffers(name))),
    );
    return { loss: total as tf.Scalar, aux: { scalars, buffers, computed: values.computed() } };
  }, changed);
  const updated = applyUpdate(update.optimizer, changed, { grads, slots, hyper });
  const next = Object.fromEntries(
    Object.keys(networks).map((name) => [name, {
      ...params[name],
      ...section(aux.buffers, name),
      ...section(updated.params, name),
    }]),
  );
  const computed = Object.fromEntries(
    Object.entries(aux.computed).filter(([name]) => model.values[name] !== undefined),
  );
  return {
    params: next,
    slots: updated.slots,
    scalars: { [`${update.name}Loss`]: loss, ...aux.scalars },
    computed,
  };
}
