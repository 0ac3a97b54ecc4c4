/** Which input of a graph is the latent, the label, the noise, and what the others are fed. */
import { UserError } from "../errors.ts";
import { type GeneratorManifest, MAX_SAMPLE_VALUES } from "../manifest.ts";
import { type Assumptions, ELEMENT_TYPES, type ElementType } from "./assumptions.ts";
import { describeTensor, describeTensors, type TensorInfo } from "./model_file.ts";

/** An input besides latent, label and noise. */
export interface FeedSpec {
  name: string;
  type: ElementType;
  /** Its shape without N, or all of it where it has no N. */
  shape: number[];
  /** Whether its first axis is N. */
  hasBatch: boolean;
}

/** The inputs as the graph wants them. */
export interface GeneratorInputSpec {
  latentName: string;
  latentType: ElementType;
  /** The latent's shape without N: `[dimension]`, or `[dimension, 1, 1]` and the like. */
  latentShape: number[];
  /** The uniform values of layers that stay random. */
  noise: { name: string; size: number } | null;
  /** `classes`: the length of a one-hot label; null where the label is a number. */
  label: { name: string; type: ElementType; rank: number; classes: number | null } | null;
  /** Inputs that the app gives values for. */
  feeds: FeedSpec[];
  /** The batch size that the graph insists on; null: any. */
  fixedBatch: number | null;
  outputName: string;
}

/** The name of the input that a manifest's `noise` describes. */
const NOISE = "noise";
/** Names of the inputs that pull a latent toward its mean inside the graph: 1 leaves it alone. */
const TRUNCATION = /^(truncation|trunc|truncation_?psi|psi)$/i;

/** Inputs that are known, and a value for those that nobody has to give. */
export interface FoundInputs extends Omit<GeneratorInputSpec, "outputName"> {
  /** Values of feeds by name where there are some to begin with. */
  defaults: Record<string, number | ArrayLike<number>>;
  /** What was guessed, in words. */
  guesses: string[];
}

/**
 * Finds the roles of a graph's inputs.
 * @throws {UserError} where they are not a generator's, saying what to tell the sampler
 */
export function findInputs(
  inputs: TensorInfo[],
  { name, manifest, assume }: {
    name: string;
    manifest: GeneratorManifest | null;
    assume: Assumptions;
  },
): FoundInputs {
  const refuse = (reason: string): never => {
    throw new UserError(
      `Cannot sample from ${name}: ${reason}; a generator takes one latent [N, D] of floats and perhaps ` +
        "one integer label [N] (assume.latent, assume.label and assume.feeds name other inputs), and " +
        `this model takes ${describeTensors(inputs)}`,
    );
  };
  const typeOf = (input: TensorInfo): ElementType =>
    ELEMENT_TYPES[input.elementType] ??
      refuse(`it cannot be fed its input ${describeTensor(input)}`);
  for (const given of [assume.latent, ...Object.keys(assume.feeds ?? {})]) {
    if (given === undefined || inputs.some((input) => input.name === given)) continue;
    refuse(`it has no input "${given}"`);
  }
  const guesses: string[] = [];
  const defaults: FoundInputs["defaults"] = { ...assume.feeds };
  const noise = findNoise(inputs, manifest);
  const conditions = new Set(manifest?.conditions?.map((condition) => condition.name));
  const fed = inputs.filter((input) => {
    if (input === noise || input.name === assume.latent) return false;
    if (conditions.has(input.name) || assume.feeds?.[input.name] !== undefined) return true;
    const isOne = (input.shape ?? []).every((size) => size === 1) && input.shape !== null;
    if (!TRUNCATION.test(input.name) || !isOne) return false;
    defaults[input.name] = 1;
    guesses.push(`its input "${input.name}" is fed 1 (assume.feeds gives another value)`);
    return true;
  });
  const rest = inputs.filter((input) => input !== noise && !fed.includes(input));
  const floats = rest.filter(({ elementType }) => [1, 10, 11].includes(elementType));
  const labels = rest.filter(({ elementType }) => elementType === 7 || elementType === 6);
  const isOneHot = assume.label === "one-hot";
  const wanted = isOneHot ? 2 : 1;
  if (floats.length !== wanted) {
    const extra = floats.length === 2 && !isOneHot
      ? '; is the other one a one-hot label (assume: { label: "one-hot" })?'
      : "";
    refuse(`it has ${floats.length} float inputs that could be the latent${extra}`);
  }
  if (labels.length > (isOneHot ? 0 : 1)) refuse(`it has ${labels.length} integer inputs`);
  if (floats.length + labels.length !== rest.length) refuse("it has an input of another type");
  const latent = floats.find((input) => input.name === assume.latent) ??
    floats.find((input) => /^(z|latent|noise|input_?noise)/i.test(input.name)) ?? floats[0];
  const latentShape = checkLatent(latent, refuse);
  const oneHot = isOneHot ? floats.find((input) => input !== latent)! : undefined;
  return {
    latentName: latent.name,
    latentType: typeOf(latent),
    latentShape,
    noise: noise ? { name: noise.name, size: manifest!.noise!.size } : null,
    label: findLabel(oneHot ?? labels[0], oneHot !== undefined, { typeOf, refuse }),
    feeds: fed.map((input) => findFeed(input, { typeOf, refuse })),
    fixedBatch: latent.shape![0],
    defaults,
    guesses,
  };
}

/** Refuses a model; never returns. */
type Refuse = (reason: string) => never;

function checkLatent(latent: TensorInfo, refuse: Refuse): number[] {
  const shape = latent.shape?.slice(1) ?? [];
  const isVector = shape.length > 0 && shape.every((size) => size !== null) &&
    shape.slice(1).every((size) => size === 1);
  if (!isVector) refuse(`its input ${describeTensor(latent)} is not a latent of known length`);
  const dimension = shape[0]!;
  if (dimension > MAX_SAMPLE_VALUES) {
    refuse(`its latent has ${dimension} values, and at most ${MAX_SAMPLE_VALUES} are allowed`);
  }
  return shape as number[];
}

interface Rules {
  typeOf(input: TensorInfo): ElementType;
  refuse: Refuse;
}

function findLabel(
  label: TensorInfo | undefined,
  isOneHot: boolean,
  { typeOf, refuse }: Rules,
): GeneratorInputSpec["label"] {
  if (label === undefined) return null;
  const shape = label.shape ?? [null];
  if (isOneHot) {
    const classes = shape.length === 2 ? shape[1] : null;
    if (classes === null || classes > 1_000_000) {
      return refuse(`its input ${describeTensor(label)} is not a one-hot label [N, classes]`);
    }
    return { name: label.name, type: typeOf(label), rank: 2, classes };
  }
  if (shape.length === 0 || shape.slice(1).some((size) => size !== 1)) {
    refuse(`its input ${describeTensor(label)} is not one label a sample`);
  }
  return { name: label.name, type: typeOf(label), rank: shape.length, classes: null };
}

function findFeed(input: TensorInfo, { typeOf, refuse }: Rules): FeedSpec {
  const { name, shape } = input;
  if (shape === null) return { name, type: typeOf(input), shape: [], hasBatch: false };
  const hasBatch = shape.length > 0 && shape[0] === null;
  const own = hasBatch ? shape.slice(1) : shape;
  const count = own.reduce<number>((product, size) => product * (size ?? NaN), 1);
  if (!(count <= MAX_SAMPLE_VALUES)) {
    refuse(`its input ${describeTensor(input)} has no known size, or too large a one`);
  }
  return { name, type: typeOf(input), shape: own as number[], hasBatch };
}

/** The input that a manifest describes as noise. */
function findNoise(
  inputs: TensorInfo[],
  manifest: GeneratorManifest | null,
): TensorInfo | undefined {
  const size = manifest?.noise?.size;
  if (size === undefined) return undefined;
  return inputs.find(({ name, elementType, shape }) =>
    name === NOISE && elementType === 1 && shape?.length === 2 && shape[1] === size
  );
}
