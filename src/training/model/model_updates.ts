/** The updates of one step of a model, and the state that they leave. */
import type { ModelSpec, ModelUpdateSpec, TermSpec } from "../../config/model.ts";
import { valueAndGradients } from "../../nn/mod.ts";
import { tf } from "../../tensor/tf.ts";
import type { StepRandom, TensorMap } from "../../tensor/types.ts";
import { updateEma } from "../ema.ts";
import { trainable } from "../gan_state.ts";
import { applyUpdate } from "../optimizers.ts";
import { section, withPrefix } from "../tensor_names.ts";
import { showThroughHistory } from "./image_history.ts";
import type { ModelParts } from "./model_state.ts";
import { termLoss } from "./terms.ts";
import { networksOf, StepValues } from "./values.ts";

/** What a step is given. */
export interface StepGiven {
  state: TensorMap;
  inputs: TensorMap;
  random: StepRandom;
}

/** What the loss of an update leaves besides its gradients. */
type UpdateValues = {
  /** Each term before its weight, by name. */
  terms: TensorMap;
  /** Running statistics after all applications, by `<network>/<name>`. */
  buffers: TensorMap;
  /** The model's values that were computed on the way. */
  computed: TensorMap;
};

/** The updates of one step, run one after another; each sees what those before it changed. */
export class ModelUpdates {
  /** Losses of updates and terms, by name. */
  readonly scalars: TensorMap = {};
  readonly #parts: ModelParts;
  readonly #given: StepGiven;
  /** Inputs of the step as values: data, and a latent drawn once. */
  readonly #inputs: TensorMap;
  /** Parameters and buffers by network, replaced by each update. */
  readonly #params: Record<string, TensorMap>;
  /** Optimizer slots by update. */
  readonly #slots: Record<string, TensorMap> = {};
  readonly #histories: Record<string, TensorMap> = {};
  /** Values of earlier updates whose networks have not changed since. */
  #carried: TensorMap = {};
  /** What histories show, as it was first computed. */
  readonly #historySources: TensorMap = {};

  constructor(parts: ModelParts, given: StepGiven) {
    this.#parts = parts;
    this.#given = given;
    const { built: { networks, dataInputs } } = parts;
    this.#params = Object.fromEntries(
      Object.keys(networks).map((name) => [name, section(given.state, name)]),
    );
    this.#inputs = Object.fromEntries(dataInputs.map((name) => [name, given.inputs[name]]));
    const latent = this.#drawLatent();
    if (latent) this.#inputs.latent = latent;
  }

  /** Runs an update; one without terms changes nothing. */
  run(update: ModelUpdateSpec, terms: readonly TermSpec[]): void {
    const { model } = this.#parts;
    const { name, networks, optimizer } = update;
    const slots = section(this.#given.state, `${name}Optimizer`);
    this.#slots[name] = slots;
    if (terms.length === 0) return;
    this.#showHistories();
    const changed = this.#trainable(networks);
    const { aux, grads, loss } = valueAndGradients(
      (weights) => this.#loss(update, terms, weights),
      changed,
    );
    const hyper = this.#given.inputs[`${name}Hyper`] as tf.Tensor1D;
    const updated = applyUpdate(optimizer, changed, { grads, slots, hyper });
    this.#slots[name] = updated.slots;
    for (const [network, params] of Object.entries(this.#params)) {
      this.#params[network] = {
        ...params,
        ...section(aux.buffers, network),
        ...section(updated.params, network),
      };
    }
    Object.assign(this.scalars, { [`${name}Loss`]: loss }, aux.terms);
    for (const { of } of Object.values(this.#parts.built.histories)) {
      this.#historySources[of] ??= aux.computed[of];
    }
    const values = { ...this.#carried, ...aux.computed };
    this.#carried = independentOf(networks, { model, values });
  }

  /** The state after the step. */
  nextState(): TensorMap {
    const next: TensorMap = {};
    for (const [name, params] of Object.entries(this.#params)) {
      Object.assign(next, withPrefix(name, params));
    }
    for (const [name, slots] of Object.entries(this.#slots)) {
      Object.assign(next, withPrefix(`${name}Optimizer`, slots));
    }
    for (const name of Object.keys(this.#parts.built.histories)) {
      const before = section(this.#given.state, `history/${name}`);
      Object.assign(next, withPrefix(`history/${name}`, { ...before, ...this.#histories[name] }));
    }
    if (this.#parts.hasEma) Object.assign(next, this.#nextEma());
    return next;
  }

  #drawLatent(): tf.Tensor | undefined {
    const { model: { latent }, batchSize } = this.#parts;
    if (latent === undefined) return undefined;
    const shape = [batchSize, latent.dimension];
    const { random } = this.#given;
    return latent.distribution === "normal" ? random.normal(shape) : random.uniform(shape);
  }

  /** Passes what earlier updates computed through the histories of it, each once a step. */
  #showHistories(): void {
    const { state, inputs, random } = this.#given;
    for (const [name, { of, size }] of Object.entries(this.#parts.built.histories)) {
      const source = this.#historySources[of];
      if (source === undefined || this.#histories[name] !== undefined) continue;
      const slots = inputs[`slots${size}`];
      const before = section(state, `history/${name}`);
      const { shown, history } = showThroughHistory(source, before, { slots, random });
      this.#carried[name] = shown;
      this.#histories[name] = history;
    }
  }

  /** The trainable parameters of some networks, by `<network>/<name>`. */
  #trainable(networks: readonly string[]): TensorMap {
    const found: TensorMap = {};
    for (const name of networks) {
      const own = trainable(this.#parts.built.networks[name], this.#params[name]);
      Object.assign(found, withPrefix(name, own));
    }
    return found;
  }

  /** The weighted sum of an update's terms, under weights of the networks that it changes. */
  #loss(
    update: ModelUpdateSpec,
    terms: readonly TermSpec[],
    weights: TensorMap,
  ): { loss: tf.Scalar; aux: UpdateValues } {
    const { model, built: { networks } } = this.#parts;
    const { random } = this.#given;
    const params = { ...this.#params };
    for (const name of update.networks) {
      params[name] = { ...params[name], ...section(weights, name) };
    }
    const values = new StepValues({
      spec: model,
      networks,
      params,
      inputs: this.#inputs,
      given: independentOf(update.networks, { model, values: this.#carried }),
      context: { training: true, random },
    });
    const measured: TensorMap = {};
    let total: tf.Tensor | undefined;
    for (const term of terms) {
      const value = termLoss(term, values, random);
      measured[term.name] = value;
      const weighted = term.weight === undefined ? value : tf.mul(value, term.weight);
      total = total === undefined ? weighted : tf.add(total, weighted);
    }
    const buffers: TensorMap = {};
    for (const name of Object.keys(networks)) {
      Object.assign(buffers, withPrefix(name, values.buffers(name)));
    }
    const computed = Object.fromEntries(
      Object.entries(values.computed()).filter(([name]) => model.values[name] !== undefined),
    );
    return { loss: total as tf.Scalar, aux: { terms: measured, buffers, computed } };
  }

  #nextEma(): TensorMap {
    const { networks, outputNetworks } = this.#parts.built;
    const next: TensorMap = {};
    for (const name of outputNetworks) {
      const averaged = updateEma(networks[name], section(this.#given.state, `ema/${name}`), {
        params: this.#params[name],
        decay: this.#given.inputs.emaDecay,
      });
      Object.assign(next, withPrefix(`ema/${name}`, averaged));
    }
    return next;
  }
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
