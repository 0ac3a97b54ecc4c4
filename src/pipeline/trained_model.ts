/** A model of several networks that was trained: compute with it, or export it. */
import type { ModelRunConfig } from "../config/types.ts";
import type { Engine } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import { type ExportedModel, exportOnnx } from "../export/mod.ts";
import { ensureFolder, writeFileAtomically } from "../files.ts";
import { fillUniform, STREAMS } from "../random/counter_random.ts";
import { toCpuTensors } from "../tensor/cpu_tensors.ts";
import { tf } from "../tensor/tf.ts";
import type { HostTensor, HostTensors, TensorMap, TensorSpec } from "../tensor/types.ts";
import { applyModel, requirementsOf, weightsForUse } from "../training/model/apply_model.ts";
import type { ModelStep } from "../training/model/model_step.ts";
import { section, withPrefix } from "../training/tensor_names.ts";
import type { TrainingResult } from "../training/train.ts";

/** A tensor that a program gives. */
export interface GivenTensor {
  /** `[n, ...shape]` */
  shape: number[];
  /** Its elements, the last axis fastest. */
  data: Float32Array;
}

/** How to compute. */
export interface ComputeOptions {
  /** The values that are wanted. Default: the model's output. */
  values?: readonly string[];
  /** Decides what layers that stay random draw, such as dropout at sampling. Default 0. */
  seed?: number;
}

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
  return {
    config,
    folder,
    result,
    async compute(given, { values = [spec.output], seed = 0 } = {}) {
      const { inputs, networks } = requirementsOf(spec, values);
      checkInputs(given, { names: inputs, step });
      const weights = Object.assign(
        {},
        ...Object.entries(weightsForUse(result.state, networks)).map(([network, tensors]) =>
          withPrefix(`weights/${network}`, tensors)
        ),
      ) as HostTensors;
      const tensors = Object.fromEntries(
        inputs.map((name) => [`inputs/${name}`, { ...given[name], dtype: "float32" as const }]),
      );
      const noise: HostTensors = {};
      const all = { ...weights, ...tensors };
      const noiseAt = (place: number, shape: number[]): HostTensor => ({
        shape,
        dtype: "float32",
        data: fillUniform(new Float32Array(shape.reduce((size, side) => size * side, 1)), {
          seed,
          stream: STREAMS.noise,
          step: place,
        }),
      });
      for (const [place, shape] of noiseShapes(spec, { step, values, given }).entries()) {
        noise[`noise/${place}`] = noiseAt(place, shape);
      }
      const compiled = await engine.compileFunction((named) => {
        let drawn = 0;
        return applyModel({ spec, networks: step.networks, outputs: values }, {
          params: paramsOf(named, networks),
          inputs: section(named, "inputs"),
          random: { uniform: () => named[`noise/${drawn++}`] },
        });
      }, specsOf({ ...all, ...noise }));
      try {
        return await compiled.run({ ...all, ...noise });
      } finally {
        await compiled.dispose();
      }
    },
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
    [Symbol.asyncDispose]: parts.dispose,
  };
}

function fileShape(shape: readonly number[], openSize: boolean): (number | null)[] {
  if (openSize && shape.length === 3) return [null, null, null, shape[2]];
  return [null, ...shape];
}

function checkInputs(
  given: Record<string, GivenTensor>,
  { names, step }: { names: readonly string[]; step: ModelStep },
): void {
  let count: number | undefined;
  for (const name of names) {
    const tensor = Object.hasOwn(given, name) ? given[name] : undefined;
    const wanted = step.inputShapes[name];
    const found = tensor ? `[${tensor.shape.join(", ")}]` : "missing";
    const size = tensor?.shape.reduce((product, side) => product * side, 1);
    const fits = tensor !== undefined && tensor.shape.slice(1).join() === wanted.join() &&
      size === tensor.data.length && (count === undefined || tensor.shape[0] === count);
    if (!fits) {
      throw new UserError(
        `Cannot compute with input ${name}: it is ${found}, expected [${count ?? "n"}, ` +
          `${wanted.join(", ")}] with as many elements`,
      );
    }
    count = tensor.shape[0];
  }
}

/** The shapes of what layers that stay random draw, in the order in which they draw. */
function noiseShapes(
  spec: ModelRunConfig["model"],
  { step, values, given }: {
    step: ModelStep;
    values: readonly string[];
    given: Record<string, GivenTensor>;
  },
): number[][] {
  const count = Object.values(given)[0]?.shape[0] ?? 1;
  const shapes: number[][] = [];
  const visited = new Set<string>();
  function visit(name: string): void {
    const value = spec.values[name];
    if (value === undefined || visited.has(name)) return;
    visited.add(name);
    for (const source of [value.op === "network" ? value.input : value.of].flat()) visit(source);
    if (value.op !== "network") return;
    const { noiseSize } = step.networks[value.network];
    if (noiseSize) shapes.push([count, noiseSize]);
  }
  for (const value of values) visit(value);
  return shapes;
}

function paramsOf(named: TensorMap, networks: readonly string[]): Record<string, TensorMap> {
  const weights = section(named, "weights");
  return Object.fromEntries(networks.map((network) => [network, section(weights, network)]));
}

function specsOf(tensors: HostTensors): Record<string, TensorSpec> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  );
}
