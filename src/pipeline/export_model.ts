/** A model of TensorFlow.js from disk to an ONNX file. */
import { UserError } from "../errors.ts";
import { ensureFolder, withSlashes, writeFileAtomically } from "../files.ts";
import { type ExportedModel, exportOnnx, type ExportOptions } from "../export/export.ts";
import { readModel, type StoredModel } from "../export/read_model.ts";

/** How to export a stored model. */
export interface ExportModelOptions extends ExportOptions {
  /** The file to write. Default `model.onnx` beside `model.json`. */
  out?: string;
  /**
   * What the file is: a generator, which the sampler loads, or a function with the model's own inputs and
   * outputs. Default: a generator where the model takes one vector and gives one image.
   */
  as?: "generator" | "function";
}

/** What was written. */
export interface ExportedStoredModel extends ExportedModel {
  /** The ONNX file. */
  path: string;
  /** Which kind of model it was. */
  kind: StoredModel["kind"];
  /** What the file is. */
  as: "generator" | "function";
}

/**
 * Reads `model.json`, writes it as ONNX, compares the two, and only then saves the file.
 * @throws {UserError} when the model cannot be read or exported; nothing is written then
 */
export async function exportStoredModel(
  path: string,
  options: ExportModelOptions = {},
): Promise<ExportedStoredModel> {
  const { out: given = withSlashes(path).replace(/[^/]*$/, "model.onnx"), ...others } = options;
  const out = withSlashes(given);
  if (!/[^/]\.onnx$/i.test(out)) {
    throw new UserError(`Cannot export to ${out}: expected a name that ends in .onnx`);
  }
  const stored = await readModel(withSlashes(path));
  try {
    const as = options.as ?? (looksLikeGenerator(stored) ? "generator" : "function");
    const exported = await exportOnnx(stored.model, {
      ...others,
      generator: as === "generator" ? options.generator ?? {} : undefined,
      externalDataName: `${out.slice(out.lastIndexOf("/") + 1)}.data`,
    });
    const slash = out.lastIndexOf("/");
    if (slash > 0) await ensureFolder(out.slice(0, slash));
    if (exported.externalData) {
      const { location, parts } = exported.externalData;
      await writeFileAtomically(`${out.slice(0, slash + 1)}${location}`, parts);
    }
    await writeFileAtomically(out, exported.bytes);
    return { ...exported, path: out, kind: stored.kind, as };
  } finally {
    stored.model.dispose();
  }
}

/** Whether a model takes one vector (and perhaps class numbers) and gives one image. */
function looksLikeGenerator({ model }: StoredModel): boolean {
  const shapes = model.inputs.map(({ shape = [] }) => shape as (number | null)[]);
  const vectors = shapes.filter((shape) => shape.length === 2 && Number(shape[1]) > 1);
  const numbers = shapes.filter((shape) =>
    shape.length === 1 || (shape[1] === 1 && shape.length === 2)
  );
  const [output, ...others] = model.outputs;
  return vectors.length === 1 && vectors.length + numbers.length === shapes.length &&
    others.length === 0 && output.shape?.length === 4;
}
