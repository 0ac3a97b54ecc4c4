/**
 * Which of a target's inputs is what: the latent, the label, and conditions, which the caller gives by name.
 * In the file the first two are called `latent` and `label`.
 */
import { tf } from "../tensor/tf.ts";
import type { TensorMap } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import type { ConditionInput } from "../manifest.ts";
import { BATCH_AXIS } from "../graph/open/axes.ts";
import { LABEL, LATENT, NOISE, type PreparedTarget, type ResolvedInput } from "./target.ts";

/** What the owner says about the inputs of a generator of another program. */
export interface InputRoles {
  /** The name of the input that is the latent. Default: the only one that can be. */
  latent?: string;
  /**
   * The name of the input that is the label: class numbers `[N]` or `[N, 1]` of type int32 or float32, or
   * one-hot vectors `[N, classes]`. Default: an int32 input `[N]` or `[N, 1]`; and where `classNames` are
   * given, a float32 one.
   */
  label?: string;
  /** The names of the classes. */
  classNames?: readonly string[];
}

/** A target whose inputs have the names of a generator's. */
export interface GeneratorTarget extends PreparedTarget {
  /** How many values a latent has. */
  latentDimension: number;
  /** How many classes: undefined without labels, null where nothing says how many. */
  labelClasses: number | null | undefined;
  /** Further inputs. */
  conditions: ConditionInput[];
}

type Entry = [name: string, input: ResolvedInput];

/**
 * Finds the roles of a target's inputs.
 * @throws {UserError} when they cannot be recognized, or the generator needs something else
 */
export function assignRoles(prepared: PreparedTarget, roles: InputRoles): GeneratorTarget {
  const entries = Object.entries(prepared.inputs);
  const noise = prepared.isOwn ? prepared.inputs[NOISE] : undefined; // a user's may be a latent
  const given = entries.filter(([name]) => !(noise && name === NOISE));
  for (const role of ["latent", "label"] as const) {
    const name = roles[role];
    if (name === undefined || given.some(([own]) => own === name)) continue;
    throw new UserError(
      `Cannot export with input ${name} as the ${role}: the inputs are ${inWords(given)}`,
    );
  }
  const label = findLabel(given, roles);
  const latent = findLatent(given.filter((entry) => entry !== label), roles);
  const others = given.filter((entry) => entry !== label && entry !== latent);
  if (latent === undefined || !others.every(isCondition)) throw unclear(given);
  const reserved = others.find(([name]) => [LATENT, LABEL, NOISE].includes(name));
  if (reserved !== undefined) {
    throw new UserError(
      `Cannot export a generator whose input ${
        reserved[0]
      } is a condition: that name stands for something ` +
        "else in the file; rename it",
    );
  }
  const readLabel = label && labelReader(label[1]);
  return {
    ...prepared,
    inputs: {
      [LATENT]: latent[1],
      ...(label ? { [LABEL]: readLabel!.input } : {}),
      ...(noise ? { [NOISE]: noise } : {}),
      ...Object.fromEntries(others),
    },
    apply(tensors, random) {
      const own: TensorMap = { ...tensors };
      delete own[LATENT];
      delete own[LABEL];
      own[latent[0]] = tensors[LATENT];
      if (label) own[label[0]] = tf.tidy("label", () => readLabel!.apply(tensors[LABEL]));
      return prepared.apply(own, random);
    },
    latentDimension: Number(latent[1].shape[1]),
    labelClasses: label && (readLabel!.classes ?? prepared.classCount ?? null),
    conditions: others.map(([name, { shape, dtype }]) => ({
      name,
      dtype,
      shape: shape.slice(1) as number[],
    })),
  };
}

function findLabel(entries: Entry[], { label, classNames }: InputRoles): Entry | undefined {
  if (label !== undefined) {
    const entry = entries.find(([name]) => name === label)!;
    if (isClassNumber(entry) || isVector(entry)) return entry;
    throw new UserError(
      `Cannot export with input ${
        inWords([entry])
      } as the label: expected class numbers [N] or [N, 1], or ` +
        "one-hot vectors [N, classes]",
    );
  }
  const integers = entries.filter(([, { dtype }]) => dtype === "int32");
  if (integers.length === 1) return isClassNumber(integers[0]) ? integers[0] : undefined;
  if (integers.length > 1 || classNames === undefined) return undefined;
  const numbers = entries.filter(isClassNumber);
  return numbers.length === 1 && entries.length > 1 ? numbers[0] : undefined;
}

function findLatent(entries: Entry[], { latent }: InputRoles): Entry | undefined {
  if (latent !== undefined) {
    const entry = entries.find(([name]) => name === latent);
    return entry && isVector(entry) && entry[1].dtype === "float32" ? entry : undefined;
  }
  const vectors = entries.filter((entry) => isVector(entry) && entry[1].dtype === "float32");
  return vectors.length === 1 ? vectors[0] : undefined;
}

function isCondition([, { shape }]: Entry): boolean {
  return shape[0] === BATCH_AXIS && shape.slice(1).every((dim) => typeof dim === "number");
}

function isVector(entry: Entry): boolean {
  return isCondition(entry) && entry[1].shape.length === 2;
}

/** One number for each sample. */
function isClassNumber(entry: Entry): boolean {
  const { shape } = entry[1];
  return isCondition(entry) && (shape.length === 1 || (shape.length === 2 && shape[1] === 1));
}

/** How the file's label, an integer, becomes what the function wants. */
function labelReader({ shape, dtype }: ResolvedInput): {
  input: ResolvedInput;
  classes?: number;
  apply(label: tf.Tensor): tf.Tensor;
} {
  const width = shape[1];
  if (typeof width === "number" && width > 1) {
    return {
      input: { shape: [BATCH_AXIS], dtype: "int32" },
      classes: width,
      apply: (label) => tf.cast(tf.oneHot(label as tf.Tensor1D, width), dtype),
    };
  }
  if (dtype === "int32") return { input: { shape, dtype }, apply: (label) => label };
  return {
    input: { shape: [BATCH_AXIS], dtype: "int32" },
    apply: (label) => tf.cast(width === 1 ? tf.reshape(label, [-1, 1]) : label, "float32"),
  };
}

function inWords(entries: Entry[]): string {
  return entries.map(([name, { shape, dtype }]) => `${name}: ${dtype} [${shape.join(", ")}]`)
    .join("; ") || "nothing";
}

function unclear(entries: Entry[]): UserError {
  return new UserError(
    "Cannot export as a generator: it must take one float32 latent [N, D], perhaps one label [N], and " +
      `conditions of fixed shape, and it takes ${inWords(entries)}; say which is which with ` +
      'generator: { latent: "z", label: "y" }, or wrap it as a function { inputs, fn } of such inputs',
  );
}
