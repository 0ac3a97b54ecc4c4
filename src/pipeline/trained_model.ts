/** A model of several networks that was trained: compute with it, or export it. */
import type { ModelRunConfig } from "../config/types.ts";
import type { Engine } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import { type ExportedModel, exportOnnx } from "../export/mod.ts";
import { ensureFolder, writeFileAtomically } from "../files.ts";
import { toCpuTensors } from "../tensor/cpu_tensors.ts";
import { tf } from "../tensor/tf.ts";
import type { HostTensor } from "../tensor/types.ts";
import { applyModel, requirementsOf, weightsForUse } from "../training/model/apply_model.ts";
import type { ModelStep } from "../training/model/model_step.ts";
import { withPrefix } from "../training/tensor_names.ts";
import type { TrainingResult } from "../training/train.ts";
import { type ComputeOptions, type GivenTensor, openModelRunner } from "./model_runner.ts";

/** How to export a model. */
export interface ExportModelFileOptions {
  /** The file to write, which ends in `.onnx`. */
  out: string;
  /**
   * Whether height and width of image inputs stay open in the file. Default false: networks with dense
   * layers over pixels have one size.
   */
  openSize?: boolean;
  /** The version of ONNX' operators. Default 17. */
  opset?: number;
}

/** A trained model. Dispose of it to give its memory back. */
export interface TrainedModel extends AsyncDisposable {
  /** What was trained. */
  readonly config: ModelRunConfig;
  /** The run's folder; undefined for a run in memory. */
  readonly folder: string | undefined;
  /** How far training went, and the state that it reached. */
  readonly result: TrainingResult;
  /**
   * Computes values from inputs, with EMA weights where the run has them.
   * @param inputs those that the values need, `[n, ...shape]` each: images are `[n, height, width,
   * channels]` in [-1, 1]
   * @throws {UserError} when an input is missing or has another shape
   */
  compute(
    inputs: Record<string, GivenTensor>,
    options?: ComputeOptions,
  ): Promise<Record<string, HostTensor>>;
  /**
   * Writes the model's output as a function of its inputs, after comparing the file with the networks at
   * several batch sizes. Images are NHWC, inputs have their names, the output is called `output`.
   * @throws {UserError} when a layer cannot be exported, or the values differ; nothing is written then
   */
  export(options: ExportModelFileOptions): Promise<ExportedModel & { path: string }>;
}

/** What {@linkcode trainedModel} needs. */
export interface TrainedModelParts {
  config: ModelRunConfig;
  step: ModelStep;
  engine: Engine;
  result: TrainingResult;
  folder: string | undefined;
  dispose(): Promise<void>;
}

/** What {@linkcode TrainedModel} does. */
export function trainedModel(parts: TrainedModelParts): TrainedModel {
  const { config, step, engine, result, folder } = parts;
  const spec = config.model;
  const runner = openModelRunner({ spec, step, engine });
  return {
    config,
    folder,
    result,
    compute: (given, options) => runner.compute(result.state, given, options),
    async export({ out, openSize = false, opset }) {
      if (!/[^/]\.onnx$/i.test(out ?? "")) {
        throw new UserError(`Cannot export to ${out}: expected a name that ends in .onnx`);
      }
      const { inputs, networks } = requirementsOf(spec, [spec.output]);
      const weights = weightsForUse(result.state, networks);
      const params = Object.fromEntries(
        Object.entries(weights).map(([network, tensors]) => [network, toCpuTensors(tensors)]),
      );
      try {
        const model = await exportOnnx<tf.Tensor>({
          inputs: Object.fromEntries(inputs.map((name) => [name, {
            shape: fileShape(step.inputShapes[name], openSize),
          }])),
          weights: Object.assign(
            {},
            ...Object.entries(params).map(([network, tensors]) => withPrefix(network, tensors)),
          ),
          fn(given, random) {
            const application = { spec, networks: step.networks, outputs: [spec.output] };
            const computed = applyModel(application, { params, inputs: given, random });
            return { output: computed[spec.output] };
          },
        }, { opset });
        const slash = out.lastIndexOf("/");
        if (slash > 0) await ensureFolder(out.slice(0, slash));
        await writeFileAtomically(out, model.bytes);
        return { ...model, path: out };
      } finally {
        tf.dispose(params);
      }
    },
    async [Symbol.asyncDispose]() {
      await runner.dispose();
      await parts.dispose();
    },
  };
}

function fileShape(shape: readonly number[], openSize: boolean): (number | null)[] {
  if (openSize && shape.length === 3) return [null, null, null, shape[2]];
  return [null, ...shape];
}
