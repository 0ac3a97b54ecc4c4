/** Builds a model's networks and checks that every name and shape of its spec fits. */
import { UserError } from "../../errors.ts";
import { buildNetwork, type Network } from "../../nn/mod.ts";
import type { HostTensors } from "../../tensor/types.ts";
import type { ModelSpec, TermSpec, ValueSpec } from "../../config/model.ts";
import { networksOf, sourcesOf } from "./values.ts";

/** A model whose parts fit. */
export interface BuiltModel {
  networks: Record<string, Network>;
  /** One sample's shape of each input and value. */
  shapes: Record<string, readonly number[]>;
  /** The inputs that are data, in the order of the spec. */
  dataInputs: string[];
  /** The values that show samples again, and the value that each shows. */
  histories: Record<string, { of: string; size: number }>;
  /** The networks that the output goes through. */
  outputNetworks: string[];
  /** Tensors that the step is given once: the slots of histories. */
  constants: HostTensors;
}

/** What a model is built for. */
export interface ModelContext {
  /** One sample's shape of each input that is data. */
  inputShapes: Readonly<Record<string, readonly number[]>>;
  batchSize: number;
}

/**
 * Builds a model.
 * @throws {UserError} naming the value, term or update that does not fit
 */
export function buildModel(spec: ModelSpec, context: ModelContext): BuiltModel {
  const networks = Object.fromEntries(
    Object.entries(spec.networks).map(([name, network]) => [name, buildNetwork(network)]),
  );
  const shapes: Record<string, readonly number[]> = { ...context.inputShapes };
  if (spec.latent) shapes.latent = [spec.latent.dimension];
  for (const name of Object.keys(spec.values)) {
    if (Object.hasOwn(shapes, name)) fail(`the value "${name}" has the name of an input`);
    resolveShape(name, { spec, networks, shapes, open: [] });
  }
  for (const [name, value] of Object.entries(spec.values)) {
    if (value.op === "pack" && context.batchSize % value.count !== 0) {
      fail(
        `the value "${name}" packs ${value.count} rows, which does not divide the batch of ` +
          `${context.batchSize}; choose another batch size`,
      );
    }
  }
  checkUpdates(spec, networks, shapes);
  const histories = historiesOf(spec);
  const slots = Object.values(histories).map(({ size }) => [
    `slots${size}`,
    {
      shape: [size],
      dtype: "float32" as const,
      data: Float32Array.from({ length: size }, (_, slot) => slot),
    },
  ]);
  return {
    networks,
    shapes,
    dataInputs: Object.keys(context.inputShapes).filter((name) => isUsed(spec, name)),
    histories,
    outputNetworks: [...networksOf(spec, spec.output)],
    constants: Object.fromEntries(slots),
  };
}

interface ShapeScope {
  spec: ModelSpec;
  networks: Record<string, Network>;
  /** Known so far; filled in. */
  shapes: Record<string, readonly number[]>;
  /** Values that are being resolved, to find circles. */
  open: string[];
}

function resolveShape(name: string, scope: ShapeScope): readonly number[] {
  const { spec, shapes, open } = scope;
  if (Object.hasOwn(shapes, name)) return shapes[name];
  const value = Object.hasOwn(spec.values, name) ? spec.values[name] : undefined;
  if (value === undefined) {
    const known = [...Object.keys(shapes), ...Object.keys(spec.values)];
    fail(`there is no input or value "${name}"; there are ${[...new Set(known)].join(", ")}`);
  }
  if (open.includes(name)) fail(`the value "${name}" is made of itself`);
  const inner = { ...scope, open: [...open, name] };
  const sources = sourcesOf(value).map((source) => resolveShape(source, inner));
  shapes[name] = outputShape(name, value, { sources, scope });
  return shapes[name];
}

function outputShape(
  name: string,
  value: ValueSpec,
  { sources, scope: { networks } }: { sources: (readonly number[])[]; scope: ShapeScope },
): readonly number[] {
  if (value.op === "network") {
    const network = Object.hasOwn(networks, value.network) ? networks[value.network] : undefined;
    if (network === undefined) {
      fail(
        `the value "${name}" names the network "${value.network}"; there are ${
          Object.keys(networks).join(", ")
        }`,
      );
    }
    const input = joinedShape(name, sources);
    if (input.join() !== network.spec.inputShape.join()) {
      fail(
        `the network "${value.network}" takes [${network.spec.inputShape.join(", ")}], and the ` +
          `value "${name}" gives it [${input.join(", ")}]`,
      );
    }
    return network.outputShape;
  }
  if (value.op === "join") return joinedShape(name, sources);
  const [shape] = sources;
  if (value.op === "pack") {
    if (shape.length !== 1) fail(`the value "${name}" packs images; pack is for rows`);
    return [shape[0] * value.count];
  }
  if (value.op === "shrink") {
    const [height, width, channels] = shape;
    if (shape.length !== 3 || height % value.factor || width % value.factor) {
      fail(
        `the value "${name}" shrinks [${shape.join(", ")}] by ${value.factor}; it takes images ` +
          `whose sides ${value.factor} divides`,
      );
    }
    return [height / value.factor, width / value.factor, channels];
  }
  return shape;
}

function joinedShape(name: string, sources: (readonly number[])[]): readonly number[] {
  if (sources.length === 1) return sources[0];
  const image = sources.find((shape) => shape.length === 3);
  for (const shape of sources) {
    const fits = image === undefined
      ? shape.length === 1
      : shape.length === 1 || shape[0] === image[0] && shape[1] === image[1];
    if (!fits) {
      fail(
        `the value "${name}" joins ${sources.map((each) => `[${each.join(", ")}]`).join(" and ")}`,
      );
    }
  }
  const last = sources.reduce((sum, shape) => sum + shape[shape.length - 1], 0);
  return image === undefined ? [last] : [image[0], image[1], last];
}

function checkUpdates(
  spec: ModelSpec,
  networks: Record<string, Network>,
  shapes: Record<string, readonly number[]>,
): void {
  const available = new Set<string>();
  for (const { name, networks: own, terms } of spec.updates) {
    for (const network of own) {
      if (!Object.hasOwn(networks, network)) {
        fail(`the update "${name}" changes the network "${network}", which does not exist`);
      }
    }
    if (terms.length === 0) fail(`the update "${name}" has no terms`);
    for (const term of terms) {
      for (const value of valuesOf(term)) {
        if (!Object.hasOwn(shapes, value)) {
          fail(`the term "${term.name}" takes the value "${value}", which does not exist`);
        }
        for (const past of historySources(spec, value)) {
          if (available.has(past)) continue;
          fail(`the term "${term.name}" shows "${past}" again, which no earlier update computes`);
        }
      }
    }
    for (const value of terms.flatMap(valuesOf)) {
      for (const reached of reachedFrom(spec, value)) available.add(reached);
    }
  }
  if (!Object.hasOwn(shapes, spec.output)) fail(`the output "${spec.output}" does not exist`);
}

/** The values that a term compares. */
function valuesOf(term: TermSpec): string[] {
  switch (term.loss) {
    case "discriminator":
      return [term.real, ...[term.fake].flat()];
    case "generator":
      return term.real === undefined ? [term.fake] : [term.real, term.fake];
    case "l1":
    case "l2":
      return [term.of, term.to];
    case "gradient-penalty":
      return [term.real, term.fake];
    case "condition":
      return [term.logits, term.condition];
  }
}

function reachedFrom(spec: ModelSpec, name: string): string[] {
  const value = spec.values[name];
  if (value === undefined) return [name];
  return [name, ...sourcesOf(value).flatMap((source) => reachedFrom(spec, source))];
}

function historySources(spec: ModelSpec, name: string): string[] {
  return reachedFrom(spec, name).flatMap((reached) => {
    const value = spec.values[reached];
    return value?.op === "history" ? [value.of] : [];
  });
}

function historiesOf(spec: ModelSpec): BuiltModel["histories"] {
  const found = Object.entries(spec.values).flatMap(([name, value]) =>
    value.op === "history" ? [[name, { of: value.of, size: value.size }] as const] : []
  );
  return Object.fromEntries(found);
}

function isUsed(spec: ModelSpec, input: string): boolean {
  const roots = [...spec.updates.flatMap(({ terms }) => terms.flatMap(valuesOf)), spec.output];
  return roots.some((root) => reachedFrom(spec, root).includes(input));
}

function fail(problem: string): never {
  throw new UserError(`Cannot build the model: ${problem}`);
}
