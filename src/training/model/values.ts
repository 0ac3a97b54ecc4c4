/** Computes the named values of a model's step: networks applied to values, each once in an update. */
import { type ApplyContext, applyNetwork, type Network } from "../../nn/mod.ts";
import { tf } from "../../tensor/tf.ts";
import type { TensorMap } from "../../tensor/types.ts";
import type { ModelSpec, ValueSpec } from "../../config/model.ts";

/** What values are computed from. */
export interface ValueSources {
  spec: Pick<ModelSpec, "values">;
  networks: Readonly<Record<string, Network>>;
  /** Each network's parameters and buffers, by network. */
  params: Readonly<Record<string, TensorMap>>;
  /** The step's inputs by their names as values. */
  inputs: TensorMap;
  /** Values that are taken as they are: those of earlier updates, without gradients. */
  given: TensorMap;
  context: ApplyContext;
  /** Outside of training: U[0, 1) values for layers that stay random. */
  noiseFor?(shape: number[]): tf.Tensor;
}

/** The values of one update. */
export class StepValues {
  readonly #sources: ValueSources;
  readonly #known: TensorMap;
  readonly #params: Record<string, TensorMap>;

  constructor(sources: ValueSources) {
    this.#sources = sources;
    this.#known = { ...sources.inputs, ...sources.given };
    this.#params = { ...sources.params };
  }

  /**
   * A value; computed when it is first asked for.
   * @throws {RangeError} when there is neither an input nor a value of that name
   */
  get(name: string): tf.Tensor {
    if (!Object.hasOwn(this.#known, name)) {
      const spec = this.#sources.spec.values[name];
      if (spec === undefined) throw new RangeError(`The model has no value "${name}"`);
      this.#known[name] = this.#compute(spec);
    }
    return this.#known[name];
  }

  /** Applies a network to samples of its input, with the parameters of this update. */
  apply(network: string, x: tf.Tensor): tf.Tensor {
    const { networks, context, noiseFor } = this.#sources;
    const params = this.#params[network];
    const { noiseSize } = networks[network];
    const noise = noiseSize ? noiseFor?.([x.shape[0], noiseSize]) : undefined;
    const { output, updates } = applyNetwork(networks[network], params, x, { ...context, noise });
    // Running statistics go on from one application to the next, as they do in one process of PyTorch.
    this.#params[network] = { ...params, ...updates };
    return output;
  }

  /** Buffers of a network after all applications so far. */
  buffers(network: string): TensorMap {
    const params = this.#params[network];
    const names = this.#sources.networks[network].parameters.filter(({ trainable }) => !trainable);
    return Object.fromEntries(names.map(({ name }) => [name, params[name]]));
  }

  /** Values that were computed so far, by name. */
  computed(): TensorMap {
    return { ...this.#known };
  }

  #compute(spec: ValueSpec): tf.Tensor {
    switch (spec.op) {
      case "network":
        return this.apply(spec.network, this.join(spec.input));
      case "join":
        return this.join(spec.of);
      case "pack": {
        const x = this.get(spec.of);
        return tf.reshape(x, [x.shape[0] / spec.count, x.size / x.shape[0] * spec.count]);
      }
      case "shrink":
        return shrink(this.get(spec.of), spec.factor);
      case "mismatch": {
        const x = this.get(spec.of);
        return tf.concat([tf.slice(x, 1, x.shape[0] - 1), tf.slice(x, 0, 1)], 0);
      }
      case "history":
        throw new RangeError("A value with a history is given to an update, not computed by it");
    }
  }

  /** Values joined on the last axis; vectors beside images at every pixel. */
  join(names: string | readonly string[]): tf.Tensor {
    const values = [names].flat().map((name) => this.get(name));
    if (values.length === 1) return values[0];
    const image = values.find(({ rank }) => rank === 4);
    const [, height, width] = image?.shape ?? [];
    const alike = values.map((value) =>
      image && value.rank === 2
        ? tf.tile(tf.reshape(value, [value.shape[0], 1, 1, value.shape[1]!]), [1, height, width, 1])
        : value
    );
    return tf.concat(alike, -1);
  }
}

/** Means of `factor x factor` pixels. `[n, h, w, c] -> [n, h / factor, w / factor, c]` */
function shrink(x: tf.Tensor, factor: number): tf.Tensor {
  const [n, height, width, channels] = x.shape;
  const blocks = tf.reshape(x, [n, height / factor, factor, width / factor, factor * channels]);
  const rows = tf.mean(blocks, 2); // [n, h/f, w/f, f c]
  return tf.mean(tf.reshape(rows, [n, height / factor, width / factor, factor, channels]), 3);
}

/** The inputs that a value needs, in the order in which they are met. */
export function inputsOf(spec: Pick<ModelSpec, "values">, names: readonly string[]): string[] {
  const found = new Set<string>();
  const visited = new Set<string>();
  function visit(name: string): void {
    if (visited.has(name)) return;
    visited.add(name);
    const value = spec.values[name];
    if (value === undefined) found.add(name);
    else for (const source of sourcesOf(value)) visit(source);
  }
  for (const name of names) visit(name);
  return [...found];
}

/** The networks that a value goes through. */
export function networksOf(spec: Pick<ModelSpec, "values">, name: string): Set<string> {
  const value = spec.values[name];
  if (value === undefined) return new Set();
  const found = new Set(value.op === "network" ? [value.network] : []);
  for (const source of sourcesOf(value)) {
    for (const network of networksOf(spec, source)) found.add(network);
  }
  return found;
}

/** The values that a value is made of. */
export function sourcesOf(value: ValueSpec): string[] {
  return [value.op === "network" ? value.input : value.of].flat();
}
