/**
 * A trained model of several networks as an ONNX file that the sampler loads: images from images, images from
 * captions, rows of a table, or a function of its inputs. Traced, compared with the trainer, only then written.
 */
import { UserError } from "../errors.ts";
import { type ExportedModel, type ExportOptions, exportPrepared } from "../export/export.ts";
import type { PreparedTarget, ResolvedInput } from "../export/target.ts";
import { ensureFolder, writeFileAtomically } from "../files.ts";
import { OpenAxisError } from "../graph/open/axes.ts";
import { toCpuTensors } from "../tensor/cpu_tensors.ts";
import { tf } from "../tensor/tf.ts";
import type { TensorMap } from "../tensor/types.ts";
import { applyModel, requirementsOf, weightsForUse } from "../training/model/apply_model.ts";
import { withPrefix } from "../training/tensor_names.ts";
import { noiseSizes, withGivenValues } from "./compute_values.ts";
import { type ModelFilePlan, tokenCount, type TrainedModelState } from "./model_file_plan.ts";
import { imageMultiple } from "./image_multiple.ts";
import { checkModelParity } from "./model_parity.ts";

/** How to export a model. */
export interface ExportModelFileOptions {
  /** The file to write, which ends in `.onnx`. */
  out: string;
  /** The value to write. Default: the model's output. */
  value?: string;
  /**
   * Whether height and width of an image input stay open in the file. Default: where the networks allow, which
   * the file's manifest says.
   */
  openSize?: boolean;
  /** The version of ONNX' operators. Default 17. */
  opset?: number;
  /** The preset that the run started from, for the manifest. */
  preset?: string;
  /** What you say about using the weights, for the manifest. */
  license?: string;
}

/** A model's file. */
export interface ExportedModelFile extends ExportedModel {
  /** Where it is. */
  path: string;
  /** The largest difference from the trainer's values, as a share of values beyond 1. */
  maxDifference: number;
}

/**
 * Writes a value of a trained model.
 * @throws {UserError} when a layer cannot be exported, or the file's values differ from the trainer's
 */
export async function exportTrainedModel(
  trained: TrainedModelState,
  options: ExportModelFileOptions,
): Promise<ExportedModelFile> {
  const { out, opset, openSize } = options;
  if (!/[^/]\.onnx$/i.test(out ?? "")) {
    throw new UserError(`Cannot export to ${out}: expected a name that ends in .onnx`);
  }
  const plan = planFile(trained, options);
  const weights = weightsForUse(trained.result.state, networksOf(plan));
  const params = Object.fromEntries(
    Object.entries(weights).map(([network, tensors]) => [network, toCpuTensors(tensors)]),
  );
  try {
    const settings = { opset, check: false, ...describe(trained, plan, options) };
    const write = (multiple: number | null) =>
      exportPrepared(prepare(trained, { ...plan, multiple }, params), {
        ...settings,
        ...(settings.translator
          ? { translator: { ...settings.translator, multiple: multiple ?? 1 } }
          : {}),
      });
    let multiple = plan.multiple;
    let model: ExportedModel;
    try {
      model = await write(multiple);
    } catch (error) {
      // A network that computes with an image's size on the host has one size, unless that was ruled out.
      if (!(error instanceof OpenAxisError) || multiple === null || openSize) throw error;
      multiple = null;
      model = await write(multiple);
    }
    const maxDifference = await checkModelParity(model, trained, { ...plan, multiple });
    const slash = out.lastIndexOf("/");
    if (slash > 0) await ensureFolder(out.slice(0, slash));
    await writeFileAtomically(out, model.bytes);
    return { ...model, path: out, maxDifference };
  } finally {
    tf.dispose(params);
  }
}

function networksOf({ spec, value }: Pick<ModelFilePlan, "spec" | "value">): string[] {
  return requirementsOf(spec, [value]).networks;
}

function planFile(
  { config, step, data }: TrainedModelState,
  { value = config.model.output, openSize }: ExportModelFileOptions,
): ModelFilePlan {
  const { values } = config.model;
  if (!Object.hasOwn(values, value)) {
    throw new UserError(
      `Cannot export the value "${value}": the model has ${Object.keys(values).join(", ")}`,
    );
  }
  const shrunk = Object.keys(values).filter((name) => values[name].op === "shrink");
  const spec = withGivenValues(config.model, shrunk.filter((name) => name !== value));
  const { inputs, networks } = requirementsOf(spec, [value]);
  const images = inputs.filter((name) => step.inputShapes[name].length === 3);
  const isTranslator = inputs.length === 1 && images.length === 1 &&
    step.inputShapes[value].length === 3;
  const kind = isTranslator
    ? "translator"
    : !inputs.includes("latent") || images.length > 0
    ? "function"
    : data.captions && inputs.includes("words")
    ? "captions"
    : data.table
    ? "rows"
    : "generator";
  const multiples = networks.map((name) => imageMultiple(spec.networks[name].layers));
  const allowed = images.length > 0 && !multiples.includes(null)
    ? Math.max(...multiples.map(Number))
    : null;
  const multiple = openSize === false ? null : allowed;
  if (openSize && multiple === null) {
    throw new UserError(
      `Cannot export "${value}" for images of any size: ${
        images.length > 0 ? "a layer of its networks knows their size" : "it takes no image"
      }; leave openSize away`,
    );
  }
  return { spec, value, inputs, noise: noiseSizes({ spec, step }, [value]), kind, multiple };
}

/** What the exporter has to know for the manifest. */
function describe(
  { config, data, result }: TrainedModelState,
  { kind }: ModelFilePlan,
  { preset, license }: ExportModelFileOptions,
): Pick<ExportOptions, "generator" | "translator"> {
  const facts = { preset, license, step: result.step };
  if (kind === "translator") return { translator: facts };
  if (kind === "function") return {};
  const { distribution = "normal" } = config.model.latent ?? {};
  const generator = { ...facts, distribution, latent: "latent" };
  if (kind === "rows") {
    const { encodings, conditions } = data.table!;
    const columns = conditions.columns.map(({ column, offset, frequencies }) => ({
      column,
      offset,
      frequencies,
    }));
    return { generator: { ...generator, table: { columns: encodings, conditions: columns } } };
  }
  if (kind === "captions") {
    const { words } = data.captions!.vocabulary;
    return { generator: { ...generator, vocabulary: { words, maxLength: tokenCount(data) } } };
  }
  return { generator };
}

/** The model as a target of the exporter. */
function prepare(
  { step, data }: TrainedModelState,
  { spec, value, inputs, noise, kind, multiple }: ModelFilePlan,
  params: Record<string, TensorMap>,
): PreparedTarget {
  const hasTokens = kind === "captions";
  const noiseTotal = noise.reduce((sum, size) => sum + size, 0);
  const entries = inputs.map((name): [string, ResolvedInput] => {
    const shape = step.inputShapes[name];
    if (hasTokens && name === "words") {
      return ["tokens", { shape: ["N", tokenCount(data)], dtype: "int32" }];
    }
    if (shape.length === 3 && multiple !== null) {
      return [name, { shape: ["N", "H", "W", shape[2]], dtype: "float32" }];
    }
    return [name, { shape: ["N", ...shape], dtype: "float32" }];
  });
  const weights: TensorMap = Object.assign(
    {},
    ...Object.entries(params).map(([network, tensors]) => withPrefix(network, tensors)),
  );
  const used = networksOf({ spec, value }).map((name) => step.networks[name]);
  return {
    inputs: {
      ...Object.fromEntries(entries),
      ...(noiseTotal > 0 ? { noise: { shape: ["N", noiseTotal], dtype: "float32" as const } } : {}),
    },
    apply(given) {
      const { noise: all, tokens, ...named } = given;
      if (hasTokens) named.words = countWords(tokens, step.inputShapes.words[0]);
      let first = 0;
      const random = {
        uniform([, size]: number[]): tf.Tensor {
          const own = size === noiseTotal ? all : tf.slice(all, [0, first], [-1, size]);
          first += size;
          return own;
        },
      };
      const application = { spec, networks: step.networks, outputs: [value] };
      const computed = applyModel(application, { params, inputs: named, random, compact: true });
      return { output: computed[value] };
    },
    weights,
    dims: [
      ...Object.values(weights).flatMap(({ shape }) => shape),
      ...used.flatMap(({ layers }) => layers.flatMap(({ outputShape }) => outputShape)),
      ...noise,
      noiseTotal,
    ],
    isOwn: kind !== "function",
    release() {},
  };
}

/** Words by their places from 1, 0 standing for none, as counts. `[N, places] -> [N, words]` */
function countWords(tokens: tf.Tensor, words: number): tf.Tensor {
  const places = tokens.shape[1]!;
  const flat = tf.reshape(tokens, [-1]) as tf.Tensor1D;
  const each = tf.reshape(tf.oneHot(flat, words + 1), [-1, places, words + 1]);
  return tf.slice(tf.sum(tf.cast(each, "float32"), 1), [0, 1], [-1, words]);
}
