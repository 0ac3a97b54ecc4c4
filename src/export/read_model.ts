/** Reads a model of TensorFlow.js from disk: `model.json` and the files with its weights beside it. */
import { readFile } from "node:fs/promises";
import { tf } from "../tensor/tf.ts";
import { UserError } from "../errors.ts";

/** A model that was read. */
export type StoredModel =
  | { kind: "layers"; model: tf.LayersModel }
  | { kind: "graph"; model: tf.GraphModel };

interface ModelJson {
  format?: string;
  modelTopology?: { node?: unknown; model_config?: unknown; class_name?: unknown };
  weightsManifest?: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[];
  signature?: object;
  userDefinedMetadata?: Record<string, string>;
  modelInitializer?: object;
  initializerSignature?: object;
}

/**
 * Reads a layers model or a graph model.
 * @param path of `model.json`
 * @throws {UserError} when a file is missing or is not what it should be
 */
export async function readModel(path: string): Promise<StoredModel> {
  const json = await readModelJson(path);
  const { modelTopology, weightsManifest } = json;
  const isGraph = json.format === "graph-model" || modelTopology?.node !== undefined;
  const isLayers = modelTopology?.model_config !== undefined ||
    modelTopology?.class_name !== undefined;
  if (modelTopology === undefined || !Array.isArray(weightsManifest) || !(isGraph || isLayers)) {
    throw new UserError(
      `Cannot read ${path} as a model of TensorFlow.js: expected modelTopology (of a layers model or a ` +
        "graph model) and weightsManifest",
    );
  }
  const artifacts: tf.io.ModelArtifacts = {
    modelTopology,
    format: json.format,
    signature: json.signature,
    userDefinedMetadata: json.userDefinedMetadata,
    modelInitializer: json.modelInitializer,
    initializerSignature: json.initializerSignature,
    weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
    weightData: await readWeights(path, weightsManifest.flatMap(({ paths }) => paths)),
  };
  const source: tf.io.IOHandler = { load: () => Promise.resolve(artifacts) };
  try {
    return isGraph
      ? { kind: "graph", model: await tf.loadGraphModel(source) }
      : { kind: "layers", model: await tf.loadLayersModel(source) };
  } catch (error) {
    throw new UserError(
      `Cannot load the model of ${path}: ${String((error as Error).message).split("\n")[0]}`,
      { cause: error },
    );
  }
}

async function readModelJson(path: string): Promise<ModelJson> {
  const text = new TextDecoder().decode(await readBytes(path, path));
  try {
    return JSON.parse(text) as ModelJson;
  } catch (error) {
    throw new UserError(`Cannot read ${path} as JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** All weights behind each other, as they are stored. */
async function readWeights(path: string, names: readonly string[]): Promise<ArrayBuffer> {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const outside = names.find((name) => name.startsWith("/") || name.split("/").includes(".."));
  if (outside !== undefined) {
    throw new UserError(`Cannot read ${path}: it names weights outside of its folder, ${outside}`);
  }
  const parts = await Promise.all(names.map((name) => readBytes(`${folder}${name}`, path)));
  const whole = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole.buffer;
}

async function readBytes(path: string, model: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
    const what = path === model ? "there is no such file" : `its weights ${path} are not there`;
    throw new UserError(`Cannot read the model ${model}: ${what}`, { cause: error });
  }
}
