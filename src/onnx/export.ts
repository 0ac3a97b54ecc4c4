/**
 * The exporter: from a network with its weights to the bytes of an ONNX file.
 *
 * The target is traced into a graph of TensorFlow.js kernels, passes make that graph smaller, the
 * lowering writes it in ONNX' operators with images as NCHW, and what is left are the file's edges:
 * types of inputs and outputs, precision of the weights, the manifest.
 */
import { tf } from "../engine/tf.ts";
import { UserError } from "../errors.ts";
import { type GeneratorManifest, MANIFEST_KEY, PRODUCER } from "../manifest.ts";
import { castInput, castOutput } from "./boundary.ts";
import { type ExternalData, moveWeightsOut } from "./external_data.ts";
import { buildManifest, type GeneratorDescription } from "./generator_manifest.ts";
import { irVersionFor, type OnnxGraph, type OnnxModel } from "./graph.ts";
import { NCHW } from "./lower/layout.ts";
import { lowerGraph } from "./lower/lower.ts";
import { openModel } from "./model_session.ts";
import { simplify } from "./passes/mod.ts";
import { encodeModel } from "./protobuf.ts";
import { LABEL, type NetworkTarget, traceNetwork } from "./traced_target.ts";

/** How weights can be kept. */
export const EXPORT_DTYPES = ["fp32"] as const;

/** How weights are kept and computed with. */
export type ExportDtype = typeof EXPORT_DTYPES[number];

/** How to export. */
export interface ExportOptions {
  /** The version of ONNX' operators, 13 to 21. Default 17, which old and new runtimes know. */
  opset?: number;
  /** How the image leaves the file. Default "float", in the range that the network gives. */
  output?: "float" | "uint8";
  /** What the manifest says about the generator. */
  generator?: GeneratorDescription;
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
  opset: number;
  /** The name of the first output. */
  outputName: string;
  /** How many operations the graph has. */
  nodes: number;
  /** How many of them are Transpose. */
  transposes: number;
  /** What the file says about itself. */
  manifest: GeneratorManifest;
}

/** Protobuf ends at 2 GiB; the rest of the file needs some of it. */
const EXTERNAL_DATA_ABOVE = 2 ** 31 - 2 ** 24;

/** The self-test's tolerance for values of size 1: float32 rounding of deep networks, on any runtime. */
const SELF_TEST_TOLERANCE = 1e-3;

/**
 * Writes a target as ONNX.
 * @throws {UserError} when a layer or an operation cannot be exported; the message names it
 */
export async function exportOnnx(
  target: NetworkTarget,
  options: ExportOptions = {},
): Promise<ExportedModel> {
  const { opset = 17, output: outputType = "float", generator = {} } = options;
  const irVersion = checkOpset(opset);
  const { network } = target;
  const [height, width, channels] = network.outputShape;
  const isImage = network.outputShape.length === 3;
  const outputName = isImage ? "image" : "sample";
  const range = generator.range === undefined ? isImage ? [-1, 1] as const : null : generator.range;
  const size = network.outputShape.reduce((product, side) => product * side, 1);
  const traced = traceNetwork(target, outputName, (output) => {
    if (!isImage) return tf.reshape(output, [-1, size]);
    return outputType === "uint8" ? toByteRange(output, range) : output;
  });

  const lowered = lowerGraph(simplify(traced.graph), {
    opset,
    batchMark: traced.batchMark,
    name: "generator",
    outputOrders: isImage ? { [outputName]: NCHW } : {},
  });
  let graph: OnnxGraph = lowered.graph;
  if (traced.usesLabels) graph = castInput(graph, LABEL, "int64");
  if (outputType === "uint8") graph = castOutput(graph, outputName, "uint8");

  const model: OnnxModel = {
    graph,
    opset,
    irVersion,
    producer: PRODUCER.split(" ")[0],
    producerVersion: PRODUCER.split(" ")[1],
  };
  const weightBytes = graph.initializers.reduce((sum, { data }) => sum + data.byteLength, 0);
  let externalData: ExternalData | undefined;
  if (weightBytes > (options.externalDataAbove ?? EXTERNAL_DATA_ABOVE)) {
    const moved = moveWeightsOut(graph, options.externalDataName ?? "generator.onnx.data");
    model.graph = moved.graph;
    externalData = moved.data;
  }
  const session = await openModel(encodeModel(model), externalData);
  let manifest: GeneratorManifest;
  try {
    manifest = await buildManifest(generator, {
      latentDimension: network.spec.inputShape[0],
      classCount: traced.usesLabels ? network.spec.classCount : undefined,
      output: {
        name: outputName,
        shape: isImage ? [channels, height, width] : [size],
        dtype: outputType === "uint8" ? "uint8" : "float32",
        range: outputType === "uint8" ? [0, 255] : range && [...range],
      },
      graph,
      tolerance: outputType === "uint8" ? 1 : SELF_TEST_TOLERANCE,
    }, session);
  } finally {
    await session.release();
  }
  const bytes = encodeModel({ ...model, metadata: { [MANIFEST_KEY]: JSON.stringify(manifest) } });
  return {
    bytes,
    externalData,
    sizeBytes: bytes.length + (externalData?.sizeBytes ?? 0),
    opset,
    outputName,
    nodes: graph.nodes.length,
    transposes: graph.nodes.filter(({ op }) => op === "Transpose").length,
    manifest,
  };
}

function checkOpset(opset: number): number {
  try {
    return irVersionFor(opset);
  } catch (error) {
    throw new UserError((error as Error).message, { cause: error });
  }
}

/** The range's values as the numbers 0 ... 255, rounded. */
function toByteRange(image: tf.Tensor, range: readonly [number, number] | null): tf.Tensor {
  if (range === null) {
    throw new UserError("Cannot write uint8 images: the generator's range of values is not known");
  }
  const [low, high] = range;
  const scaled = tf.mul(tf.sub(image, low), 255 / (high - low));
  return tf.round(tf.clipByValue(scaled, 0, 255));
}
