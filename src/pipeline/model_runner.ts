/** Computes values of a model from inputs on an engine; each kind of call is compiled once. */
import type { ModelSpec } from "../config/types.ts";
import type { CompiledFunction, Engine } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import { fillUniform, STREAMS } from "../random/counter_random.ts";
import type { HostTensor, HostTensors, TensorMap, TensorSpec } from "../tensor/types.ts";
import { applyModel, requirementsOf, weightsForUse } from "../training/model/apply_model.ts";
import type { ModelStep } from "../training/model/model_step.ts";
import { section, withPrefix } from "../training/tensor_names.ts";

/** A tensor that a program gives. */
export interface GivenTensor {
  /** `[n, ...shape]` */
  shape: number[];
  /** Its elements, the last axis fastest. */
  data: Float32Array;
}

/** How to compute. */
export interface ComputeOptions {
  /** The values that are wanted. Default: the model's output. */
  values?: readonly string[];
  /** Decides what layers that stay random draw, such as dropout at sampling. Default 0. */
  seed?: number;
}

/** A model on an engine. */
export interface ModelRunner {
  /**
   * Computes values with running statistics, and EMA weights where the state has them.
   * @param state weights by network
   * @param given the inputs that the values need, `[n, ...shape]` each; values of the model may be given
   * too, such as `low` for super-resolution
   * @throws {UserError} when an input is missing or has another shape
   */
  compute(
    state: HostTensors,
    given: Record<string, GivenTensor>,
    options?: ComputeOptions,
  ): Promise<Record<string, HostTensor>>;
  /** Gives the engine's memory back. */
  dispose(): Promise<void>;
}

/** What a {@linkcode ModelRunner} computes. */
export interface ModelRunnerParts {
  spec: ModelSpec;
  step: ModelStep;
  engine: Engine;
}

/** Functions that stay compiled. */
const MAX_COMPILED = 4;

/** Opens a model for computing. */
export function openModelRunner({ spec: whole, step, engine }: ModelRunnerParts): ModelRunner {
  const compiled = new Map<string, CompiledFunction>();

  async function functionFor(
    spec: ModelSpec,
    values: readonly string[],
    { tensors, networks }: { tensors: HostTensors; networks: readonly string[] },
  ): Promise<CompiledFunction> {
    const specs = specsOf(tensors);
    const key = JSON.stringify([values, specs]);
    const known = compiled.get(key);
    if (known) return known;
    if (compiled.size >= MAX_COMPILED) {
      const [oldest, first] = [...compiled][0];
      compiled.delete(oldest);
      await first.dispose();
    }
    const made = await engine.compileFunction((named) => {
      let drawn = 0;
      return applyModel({ spec, networks: step.networks, outputs: values }, {
        params: paramsOf(named, networks),
        inputs: section(named, "inputs"),
        random: { uniform: () => named[`noise/${drawn++}`] },
      });
    }, specs);
    compiled.set(key, made);
    return made;
  }

  return {
    async compute(state, given, { values = [whole.output], seed = 0 } = {}) {
      const spec = withoutValues(whole, Object.keys(given));
      const { inputs, networks } = requirementsOf(spec, values);
      checkInputs(given, { names: inputs, step });
      const tensors: HostTensors = {};
      for (const [network, weights] of Object.entries(weightsForUse(state, networks))) {
        Object.assign(tensors, withPrefix(`weights/${network}`, weights));
      }
      for (const name of inputs) tensors[`inputs/${name}`] = { ...given[name], dtype: "float32" };
      for (const [place, shape] of noiseShapes(spec, { step, values, given }).entries()) {
        const size = shape.reduce((product, side) => product * side, 1);
        const data = fillUniform(new Float32Array(size), {
          seed,
          stream: STREAMS.noise,
          step: place,
        });
        tensors[`noise/${place}`] = { shape, dtype: "float32", data };
      }
      return await (await functionFor(spec, values, { tensors, networks })).run(tensors);
    },
    async dispose() {
      for (const each of compiled.values()) await each.dispose();
      compiled.clear();
    },
  };
}

/** The model with some of its values as inputs. */
function withoutValues(spec: ModelSpec, names: readonly string[]): ModelSpec {
  const values = Object.entries(spec.values).filter(([name]) => !names.includes(name));
  return { ...spec, values: Object.fromEntries(values) };
}

function checkInputs(
  given: Record<string, GivenTensor>,
  { names, step }: { names: readonly string[]; step: ModelStep },
): void {
  let count: number | undefined;
  for (const name of names) {
    const tensor = Object.hasOwn(given, name) ? given[name] : undefined;
    const wanted = step.inputShapes[name];
    const found = tensor ? `[${tensor.shape.join(", ")}]` : "missing";
    const size = tensor?.shape.reduce((product, side) => product * side, 1);
    const fits = tensor !== undefined && tensor.shape.slice(1).join() === wanted.join() &&
      size === tensor.data.length && (count === undefined || tensor.shape[0] === count);
    if (!fits) {
      throw new UserError(
        `Cannot compute with input ${name}: it is ${found}, expected [${count ?? "n"}, ` +
          `${wanted.join(", ")}] with as many elements`,
      );
    }
    count = tensor.shape[0];
  }
}

/** The shapes of what layers that stay random draw, in the order in which they draw. */
function noiseShapes(
  spec: ModelSpec,
  { step, values, given }: {
    step: ModelStep;
    values: readonly string[];
    given: Record<string, GivenTensor>;
  },
): number[][] {
  const count = Object.values(given)[0]?.shape[0] ?? 1;
  const shapes: number[][] = [];
  const visited = new Set<string>();
  function visit(name: string): void {
    const value = spec.values[name];
    if (value === undefined || visited.has(name)) return;
    visited.add(name);
    for (const source of [value.op === "network" ? value.input : value.of].flat()) visit(source);
    if (value.op !== "network") return;
    const { noiseSize } = step.networks[value.network];
    if (noiseSize) shapes.push([count, noiseSize]);
  }
  for (const value of values) visit(value);
  return shapes;
}

function paramsOf(named: TensorMap, networks: readonly string[]): Record<string, TensorMap> {
  const weights = section(named, "weights");
  return Object.fromEntries(networks.map((network) => [network, section(weights, network)]));
}

function specsOf(tensors: HostTensors): Record<string, TensorSpec> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  );
}
