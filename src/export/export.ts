/**
 * The exporter: from a network, a function or a model to the bytes of an ONNX file.
 *
 * The target is traced into a graph of TensorFlow.js kernels, passes make that graph smaller, the
 * lowering writes it in ONNX' operators with images as NCHW, and what is left are the file's edges:
 * types of inputs and outputs, precision of the weights, the manifest.
 */
import { tf } from "../tensor/tf.ts";
import { UserError } from "../errors.ts";
import { MANIFEST_KEY, PRODUCER } from "../manifest.ts";
import type { SampledManifest, TranslatorManifest } from "../model_manifest.ts";
import { type ExternalData, moveWeightsOut } from "../graph/external_data.ts";
import { irVersionFor, type OnnxModel } from "../graph/onnx_graph.ts";
import { encodeModel } from "../graph/protobuf.ts";
import { withModel } from "../ort/model_session.ts";
import { checkExport } from "./check.ts";
import { EXPORT_DTYPES, type ExportDtype } from "./dtypes.ts";
import { buildManifest, type GeneratorDescription } from "./generator_manifest.ts";
import { manifestFacts, SELF_TEST_TOLERANCES } from "./manifest_facts.ts";
import { prepareTarget } from "./prepare.ts";
import type {
  ExportTarget,
  InputShapes,
  NetworkTarget,
  PreparedTarget,
  TensorLike,
} from "./target.ts";
import { type FileTarget, generatorTarget, plainTarget } from "./traced_target.ts";
import { buildTranslatorManifest } from "./translator_manifest.ts";
import { type TranslatorDescription, translatorTarget } from "./translator_target.ts";
import { writeGraph } from "./write_graph.ts";

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
  /**
   * What the manifest says about a function or a model that makes an image from an image, `{}` say: the file's
   * input is then `image`, its output `output`, both `[N, channels, height, width]`.
   */
  translator?: TranslatorDescription;
  /** How a generator's images leave the file: in its own range (the default), or as 0 ... 255. */
  output?: "float" | "uint8";
  /**
   * Lengths for inputs of a model or a function, by name: a number for an axis that shall have one length,
   * null or a name for one that stays open. Default: the shapes that the target has.
   */
  shapes?: InputShapes;
  /**
   * Whether to run the finished file against the target before it is returned: at two batch sizes, and at two
   * lengths of each other open axis. Default true.
   */
  check?: boolean;
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
  /** What the file of a generator, or of a function from images to images, says about itself. */
  manifest: SampledManifest | TranslatorManifest | undefined;
}

/** A generator's finished file. */
export interface ExportedGenerator extends ExportedModel {
  /** What the file says about itself. */
  manifest: SampledManifest;
}

/** Protobuf ends at 2 GiB; the rest of the file needs some of it. */
const EXTERNAL_DATA_ABOVE = 2 ** 31 - 2 ** 24;

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
  const prepared = prepareTarget(target, options.shapes);
  try {
    return await exportPrepared(prepared, options);
  } finally {
    prepared.release();
  }
}

/**
 * Writes a target that is ready to be traced.
 * @throws {UserError} as {@linkcode exportOnnx}
 */
export async function exportPrepared(
  prepared: PreparedTarget,
  options: ExportOptions,
): Promise<ExportedModel> {
  const { opset = 17, dtype = "fp32", output, generator: description, translator } = options;
  const isGenerator = description !== undefined || prepared.isOwn;
  const file: FileTarget = translator
    ? translatorTarget(prepared, translator)
    : isGenerator
    ? generatorTarget(prepared, description ?? {}, (image) => toOutput(image, options))
    : plainTarget(prepared);
  const columnUnits = description?.columnUnits;
  const written = writeGraph(file, { opset, dtype, output, columnUnits });
  const { graph } = written;
  const [producer, producerVersion] = PRODUCER.split(" ");
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
  const mustCheck = options.check ?? true;
  let manifest: ExportedModel["manifest"];
  if (file.generator || file.translator || mustCheck) {
    manifest = await withModel(encodeModel(model), externalData, async (session) => {
      if (file.translator) {
        if (mustCheck) await checkExport(session, file, { dtype, captured: written.captured });
        return await buildTranslatorManifest(translator!, {
          translator: file.translator,
          graph,
          tolerance: SELF_TEST_TOLERANCES[dtype],
        }, session);
      }
      const described = file.generator &&
        await buildManifest(
          description ?? {},
          manifestFacts(file.generator, written, { description, output, dtype }),
          session,
        );
      if (mustCheck) {
        await checkExport(session, file, {
          dtype,
          output,
          distribution: described?.latent.distribution,
          classCount: described?.classNames?.length,
          columnUnits,
          captured: written.captured,
        });
      }
      return described;
    });
  }
  if (manifest) model.metadata = { [MANIFEST_KEY]: JSON.stringify(manifest) };
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

function checkOptions(options: ExportOptions): void {
  const { opset = 17, dtype = "fp32", generator, translator, output } = options;
  try {
    irVersionFor(opset);
  } catch (error) {
    throw new UserError((error as Error).message, { cause: error });
  }
  if (!EXPORT_DTYPES.includes(dtype)) {
    throw new UserError(`Cannot export as ${dtype}: expected ${EXPORT_DTYPES.join(", ")}`);
  }
  if (translator !== undefined && (generator !== undefined || output === "uint8")) {
    throw new UserError(
      `Cannot export with translator and ${
        generator ? "generator" : 'output "uint8"'
      }: a function from ` +
        "images to images takes no latent, and keeps its own range of values",
    );
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
