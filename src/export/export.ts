/**
 * The exporter: from a network, a function or a model to the bytes of an ONNX file.
 *
 * The target is traced into a graph of TensorFlow.js kernels, passes make that graph smaller, the
 * lowering writes it in ONNX' operators with images as NCHW, and what is left are the file's edges:
 * types of inputs and outputs, precision of the weights, the manifest.
 */
import { tf } from "../tensor/tf.ts";
import { UserError } from "../errors.ts";
import { type GeneratorManifest, MANIFEST_KEY, PRODUCER } from "../manifest.ts";
import { castInput, castOutput } from "../graph/boundary.ts";
import { type ExternalData, moveWeightsOut } from "../graph/external_data.ts";
import {
  buildManifest,
  type GeneratorDescription,
  type ManifestFacts,
} from "./generator_manifest.ts";
import { irVersionFor, type OnnxGraph, type OnnxModel } from "../graph/onnx_graph.ts";
import { NCHW } from "../graph/lower/layout.ts";
import { lowerGraph } from "../graph/lower/lower.ts";
import { withModel } from "../ort/model_session.ts";
import { simplify } from "../graph/passes/mod.ts";
import { toHalfPrecision } from "../graph/precision/fp16.ts";
import { toByteWeights } from "../graph/precision/int8.ts";
import { encodeModel } from "../graph/protobuf.ts";
import { type ExportTarget, LABEL, type NetworkTarget, type TensorLike } from "./target.ts";
import {
  type TracedGenerator,
  type TracedTarget,
  traceGenerator,
  traceTarget,
} from "./traced_target.ts";

/** How weights can be kept. */
export const EXPORT_DTYPES = ["fp32", "fp16", "int8"] as const;

/**
 * How weights are kept and computed with: float32; halves throughout; or 8-bit weights with a scale a
 * channel, computed with in float32. Inputs and outputs are the same for all.
 */
export type ExportDtype = typeof EXPORT_DTYPES[number];

/** How to export. */
export interface ExportOptions {
  /** The version of ONNX' operators, 13 to 21. Default 17, which old and new runtimes know. */
  opset?: number;
  /** How weights are kept. Default "fp32". */
  dtype?: ExportDtype;
  /**
   * What the manifest says about the generator. Networks of this project always are one; a function or a
   * model is written as a generator where this is given, `{}` say, and as it is otherwise: with its own
   * inputs and outputs, images NHWC, and without a manifest.
   */
  generator?: GeneratorDescription;
  /** How a generator's images leave the file: in its own range (the default), or as 0 ... 255. */
  output?: "float" | "uint8";
  /** More bytes of weights than this go into a second file. Default 2 GiB less a little. */
  externalDataAbove?: number;
  /** The second file's name. Default `generator.onnx.data`. */
  externalDataName?: string;
}

/** A finished file. */
export interface ExportedModel {
  /** The ONNX file. */
  bytes: Uint8Array<ArrayBuffer>;
  /** The second file, where the weights are too large for one. */
  externalData: ExternalData | undefined;
  /** Of both. */
  sizeBytes: number;
  /** The version of ONNX' operators. */
  opset: number;
  /** How weights are kept. */
  dtype: ExportDtype;
  /** The names of the inputs, in order. */
  inputNames: string[];
  /** The names of the outputs, in order. */
  outputNames: string[];
  /** How many operations the graph has. */
  nodes: number;
  /** How many of them are Transpose. */
  transposes: number;
  /** What a generator's file says about itself. */
  manifest: GeneratorManifest | undefined;
}

/** A generator's finished file. */
export interface ExportedGenerator extends ExportedModel {
  /** What the file says about itself. */
  manifest: GeneratorManifest;
}

/** Protobuf ends at 2 GiB; the rest of the file needs some of it. */
const EXTERNAL_DATA_ABOVE = 2 ** 31 - 2 ** 24;

/**
 * The self-test's tolerance for values of size 1: the rounding of deep networks, on any runtime. ONNX
 * Runtime's native build rounds what it multiplies with 8-bit weights to 8 bits too (0.05 for the preset
 * that it changes most).
 */
const SELF_TEST_TOLERANCES: Record<ExportDtype, number> = { fp32: 1e-3, fp16: 5e-2, int8: 1e-1 };

/**
 * Writes a network of this project as ONNX: a generator with its manifest.
 * @throws {UserError} when a layer cannot be exported; the message names it
 */
export function exportOnnx(
  target: NetworkTarget,
  options?: ExportOptions,
): Promise<ExportedGenerator>;
/**
 * Writes a function or a model as a generator.
 * @throws {UserError} when it is not one, or an operation cannot be exported; the message names it
 */
export function exportOnnx<Tensor extends TensorLike>(
  target: ExportTarget<Tensor>,
  options: ExportOptions & { generator: GeneratorDescription },
): Promise<ExportedGenerator>;
/**
 * Writes a function or a model with the inputs and outputs that it has.
 * @throws {UserError} when an operation cannot be exported; the message names it
 */
export function exportOnnx<Tensor extends TensorLike>(
  target: ExportTarget<Tensor>,
  options?: ExportOptions,
): Promise<ExportedModel>;
export async function exportOnnx(
  target: ExportTarget,
  options: ExportOptions = {},
): Promise<ExportedModel> {
  checkOptions(options);
  const isGenerator = options.generator !== undefined || "spec" in Object(target);
  const traced = isGenerator
    ? traceGenerator(target, (image) => toOutput(image, options))
    : traceTarget(target);
  const graph = writeGraph(traced, options);
  const [producer, producerVersion] = PRODUCER.split(" ");
  const { opset = 17, dtype = "fp32" } = options;
  const model: OnnxModel = {
    graph,
    opset,
    irVersion: irVersionFor(opset),
    producer,
    producerVersion,
  };
  const weightBytes = graph.initializers.reduce((sum, { data }) => sum + data.byteLength, 0);
  let externalData: ExternalData | undefined;
  if (weightBytes > (options.externalDataAbove ?? EXTERNAL_DATA_ABOVE)) {
    const moved = moveWeightsOut(graph, options.externalDataName ?? "generator.onnx.data");
    model.graph = moved.graph;
    externalData = moved.data;
  }
  let manifest: GeneratorManifest | undefined;
  if (traced.generator) {
    const facts = manifestFacts(traced, graph, options);
    manifest = await withModel(
      encodeModel(model),
      externalData,
      (session) => buildManifest(options.generator ?? {}, facts, session),
    );
    model.metadata = { [MANIFEST_KEY]: JSON.stringify(manifest) };
  }
  const bytes = encodeModel(model);
  return {
    bytes,
    externalData,
    sizeBytes: bytes.length + (externalData?.sizeBytes ?? 0),
    opset,
    dtype,
    inputNames: graph.inputs.map(({ name }) => name),
    outputNames: graph.outputs.map(({ name }) => name),
    nodes: graph.nodes.length,
    transposes: graph.nodes.filter(({ op }) => op === "Transpose").length,
    manifest,
  };
}

function checkOptions({ opset = 17, dtype = "fp32", generator, output }: ExportOptions): void {
  try {
    irVersionFor(opset);
  } catch (error) {
    throw new UserError((error as Error).message, { cause: error });
  }
  if (!EXPORT_DTYPES.includes(dtype)) {
    throw new UserError(`Cannot export as ${dtype}: expected ${EXPORT_DTYPES.join(", ")}`);
  }
  if (output === "uint8" && generator?.range === null) {
    throw new UserError("Cannot write uint8 images: the generator's range of values is unbounded");
  }
}

/** The image in the values that the file gives. */
function toOutput(image: tf.Tensor, { output, generator }: ExportOptions): tf.Tensor {
  if (output !== "uint8") return image;
  const [low, high] = generator?.range ?? [-1, 1];
  const scaled = tf.mul(tf.sub(image, low), 255 / (high - low));
  return tf.round(tf.clipByValue(scaled, 0, 255));
}

/** The graph with its edges as the file has them. */
function writeGraph(traced: TracedTarget, options: ExportOptions): OnnxGraph {
  const { generator } = traced;
  const isImage = generator?.outputName === "image";
  let { graph } = lowerGraph(simplify(traced.graph), {
    opset: options.opset,
    batchMark: traced.batchSize,
    name: generator ? "generator" : "function",
    outputOrders: isImage ? { image: NCHW } : {},
  });
  if (generator) checkWeights(graph);
  if (generator?.classCount !== undefined) graph = castInput(graph, LABEL, "int64");
  if (isImage && options.output === "uint8") graph = castOutput(graph, "image", "uint8");
  if (options.dtype === "fp16") return toHalfPrecision(graph);
  return options.dtype === "int8" ? toByteWeights(graph) : graph;
}

/** A diverged network's images as bytes look like images. */
function checkWeights({ initializers }: OnnxGraph): void {
  for (const { name, dtype, data } of initializers) {
    if (dtype !== "float32" || !(data as Float32Array).some(Number.isNaN)) continue;
    throw new UserError(`Cannot export weight ${name}: it holds NaN, so the network has diverged`);
  }
}

function manifestFacts(
  { generator, outputShapes }: TracedTarget & { generator?: TracedGenerator },
  graph: OnnxGraph,
  { generator: description = {}, output, dtype = "fp32" }: ExportOptions,
): ManifestFacts {
  const { latentDimension, classCount, outputName } = generator!;
  const shape = outputShapes[outputName];
  const isImage = outputName === "image";
  if (output === "uint8" && !isImage) {
    throw new UserError(
      `Cannot write uint8: the generator makes points of ${shape.join(" x ")} numbers, not images`,
    );
  }
  const classes = description.classNames?.length;
  if (classCount === null && classes === undefined) {
    throw new UserError(
      "Cannot export a conditional generator without the classes: give classNames",
    );
  }
  if (classCount && classes !== undefined && classes !== classCount) {
    throw new UserError(
      `Cannot export: ${classes} class names are given, and the generator has ${classCount} classes`,
    );
  }
  const range = description.range === undefined ? isImage ? [-1, 1] : null : description.range;
  const tolerance = SELF_TEST_TOLERANCES[dtype];
  const isBytes = output === "uint8";
  return {
    latentDimension,
    classCount: classCount === undefined ? undefined : classCount ?? classes,
    output: {
      name: outputName,
      shape: isImage ? [shape[2], shape[0], shape[1]] : shape,
      dtype: isBytes ? "uint8" : "float32",
      range: isBytes ? [0, 255] : range && [range[0], range[1]],
    },
    graph,
    // In grey levels, one may be a matter of rounding.
    tolerance: isBytes ? 1 + Math.ceil(tolerance * 127.5) : tolerance,
  };
}
