/** Computes a trained model's values on the engine that trained it. */
import type { ModelSpec } from "../config/types.ts";
import type { Engine } from "../engine/types.ts";
import type { HostTensors, TensorMap, TensorSpec } from "../tensor/types.ts";
import { applyModel, requirementsOf, weightsForUse } from "../training/model/apply_model.ts";
import type { ModelStep } from "../training/model/model_step.ts";
import { section, withPrefix } from "../training/tensor_names.ts";

/** What values are computed with. */
export interface ValueContext {
  spec: ModelSpec;
  step: ModelStep;
  engine: Engine;
  state: HostTensors;
}

/**
 * Computes values.
 * @param inputs of these values, `[n, ...]`
 * @param options.noise what layers that stay random draw, in their order
 */
export async function computeValues(
  { spec, step, engine, state }: ValueContext,
  inputs: HostTensors,
  { values, noise }: { values: readonly string[]; noise: HostTensors[string][] },
): Promise<HostTensors> {
  const { networks } = requirementsOf(spec, values);
  const all: HostTensors = withPrefix("inputs", inputs);
  for (const [network, tensors] of Object.entries(weightsForUse(state, networks))) {
    Object.assign(all, withPrefix(`weights/${network}`, tensors));
  }
  for (const [place, tensor] of noise.entries()) all[`noise/${place}`] = tensor;
  const compiled = await engine.compileFunction((named) => {
    let drawn = 0;
    const weights = section(named, "weights");
    return applyModel({ spec, networks: step.networks, outputs: values }, {
      params: Object.fromEntries(
        networks.map((network): [string, TensorMap] => [network, section(weights, network)]),
      ),
      inputs: section(named, "inputs"),
      random: { uniform: () => named[`noise/${drawn++}`] },
    });
  }, specsOf(all));
  try {
    return await compiled.run(all);
  } finally {
    await compiled.dispose();
  }
}

/** A model without some values, which are inputs then. */
export function withGivenValues(spec: ModelSpec, given: readonly string[]): ModelSpec {
  const values = Object.fromEntries(
    Object.entries(spec.values).filter(([name]) => !given.includes(name)),
  );
  return { ...spec, values };
}

/** How many values of noise a sample takes, for each time that a layer draws some, in their order. */
export function noiseSizes(
  { spec, step }: Pick<ValueContext, "spec" | "step">,
  values: readonly string[],
): number[] {
  const sizes: number[] = [];
  const visited = new Set<string>();
  function visit(name: string): void {
    const value = spec.values[name];
    if (value === undefined || visited.has(name)) return;
    visited.add(name);
    for (const source of [value.op === "network" ? value.input : value.of].flat()) visit(source);
    if (value.op !== "network") return;
    const { noiseSize } = step.networks[value.network];
    if (noiseSize) sizes.push(noiseSize);
  }
  for (const value of values) visit(value);
  return sizes;
}

function specsOf(tensors: HostTensors): Record<string, TensorSpec> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  );
}
