/**
 * `deno task export`: writes a run's generator, or a model of TensorFlow.js from disk, as ONNX, after comparing
 * the file with it.
 */
import { formatBytes, formatInteger } from "../src/text.ts";
import type { CheckpointChoice } from "../src/config/evaluation.ts";
import { UserError } from "../src/errors.ts";
import { EXPORT_DTYPES } from "../src/export/dtypes.ts";
import type { InputDimension } from "../src/export/target.ts";
import { exportStoredModel } from "../src/pipeline/export_model.ts";
import { exportWeights } from "../src/pipeline/export_weights.ts";
import { exportFolder } from "../src/pipeline/export_run.ts";
import {
  exportModelRun,
  type ExportModelRunOptions,
} from "../src/pipeline/models/export_model_run.ts";
import { findRun, isModelConfigFile } from "../src/run/run_folder.ts";
import {
  type CommandSpec,
  type ParsedCommand,
  runTask,
  type Task,
  type TaskOutcome,
} from "../cli/command.ts";

/** Options of one kind of source only. */
const RUN_OPTIONS = ["checkpoint", "runs", "format"];
const MODEL_OPTIONS = ["as", "shape", "latent", "label", "classes", "distribution", "unchecked"];

/** Options that a file of weights has no use for. */
const ONNX_OPTIONS = ["dtype", "output", "opset", "license"];

/** Options that a run of several networks has no use for. */
const GAN_OPTIONS = ["dtype", "output", "license"];

const FORMATS = ["onnx", "safetensors"] as const;

const AS = ["generator", "function"] as const;

const DISTRIBUTIONS = ["normal", "uniform", "unit"] as const;

const WHAT_FOR = new Map([
  [RUN_OPTIONS, "that is for runs"],
  [MODEL_OPTIONS, "that is for a MODEL.json"],
  [GAN_OPTIONS, "a model of several networks is written in float32, images as -1 ... 1"],
  [ONNX_OPTIONS, "weights are written as they are; leave it away, or write ONNX"],
]);

const spec: CommandSpec = {
  name: "export",
  summary:
    "Writes a run's generator, or a TensorFlow.js model, as an ONNX file that computes the same.",
  positionals: "[RUN | latest | MODEL.json]",
  maxPositionals: 1,
  options: {
    checkpoint: {
      value: "best|last|STEP",
      help: "which one: the best that was measured, the last (default), or that of a step",
    },
    out: {
      path: true,
      value: "FILE.onnx",
      help: "the file to write (default generator.onnx in the run, model.onnx beside MODEL.json)",
    },
    format: {
      value: FORMATS.join("|"),
      help: "of a run: onnx (default), or both networks' weights for PyTorch",
    },
    dtype: { value: EXPORT_DTYPES.join("|"), help: "how weights are kept (default fp32)" },
    output: { value: "float|uint8", help: "images as -1 ... 1 (default) or as 0 ... 255" },
    opset: { value: "N", help: "the version of ONNX' operators, 13 to 21 (default 17)" },
    license: {
      value: "TEXT",
      help: "what you say about using the weights, for the file's manifest",
    },
    as: {
      value: AS.join("|"),
      help: "of MODEL.json: what the file is (default: generator for one vector in, one image out)",
    },
    shape: {
      value: "INPUT=N,64,64,3",
      help: "of MODEL.json: an input's shape; a name or `any` stays open",
      repeated: true,
    },
    latent: { value: "INPUT", help: "of MODEL.json: which input is the latent" },
    label: { value: "INPUT", help: "of MODEL.json: which input is the class" },
    classes: { value: "A,B,C", help: "of MODEL.json: the names of the classes" },
    distribution: {
      value: DISTRIBUTIONS.join("|"),
      help: "of MODEL.json: where latents come from (default normal)",
    },
    unchecked: { help: "of MODEL.json: write the file without comparing it with the model" },
    runs: { path: true, value: "FOLDER", help: "the folder of all runs (default runs)" },
  },
  examples: [
    "deno task export latest",
    "deno task export runs/00003-mnist-mlp --dtype fp16 --out small.onnx",
    "deno task export latest --checkpoint best --out best.onnx",
    "deno task export latest --format safetensors      # for PyTorch; examples/pytorch loads it",
    "deno task export 3 --output uint8 --license CC-BY-4.0",
    "deno task export esrgan/model.json --shape input_1=N,H,W,3 --out esrgan.onnx",
    "deno task export acgan/model.json --label imageClass --classes 0,1,2,3,4,5,6,7,8,9",
  ],
};

/** The task, for tests that run several commands in a process. */
export const exportTask: Task = { spec, main };

if (import.meta.main) await runTask(spec, main);

function main(command: ParsedCommand): Promise<TaskOutcome> {
  const [source = "latest"] = command.positionals;
  return /\.json$/i.test(source) ? exportModel(source, command) : exportOfRun(source, command);
}

function refuseOptions(command: ParsedCommand, names: string[], source: string): void {
  const given = names.find((name) => {
    const { value, repeated } = spec.options[name];
    if (value === undefined) return command.flag(name);
    return repeated ? command.list(name).length > 0 : command.text(name) !== undefined;
  });
  if (given === undefined) return;
  throw new UserError(`Cannot export ${source} with --${given}: ${WHAT_FOR.get(names)}`);
}

async function exportModel(path: string, command: ParsedCommand): Promise<TaskOutcome> {
  refuseOptions(command, RUN_OPTIONS, path);
  const latent = command.text("latent");
  const label = command.text("label");
  const classNames = command.text("classes")?.split(",").map((name) => name.trim());
  const distribution = command.choice("distribution", DISTRIBUTIONS);
  const license = command.text("license");
  const describesGenerator = [latent, label, classNames, distribution].some((given) =>
    given !== undefined
  );
  const as = command.choice("as", AS) ?? (describesGenerator ? "generator" : undefined);
  const exported = await exportStoredModel(path, {
    out: command.text("out"),
    as,
    dtype: command.choice("dtype", EXPORT_DTYPES),
    output: command.choice("output", ["float", "uint8"]),
    opset: command.integer("opset", { min: 13, max: 21 }),
    shapes: Object.fromEntries(command.list("shape").map(readShape)),
    check: !command.flag("unchecked"),
    generator: { latent, label, classNames, distribution, license },
  });
  const { sizeBytes, nodes, transposes, inputNames, outputNames } = exported;
  const how = as === undefined ? "detected; --as says otherwise" : "as asked";
  console.log(
    `exported  ${exported.path}, a ${exported.kind} model as a ${exported.as} (${how}), ` +
      `${formatBytes(sizeBytes)}, ${exported.dtype}, opset ${exported.opset}, ` +
      `${nodes} operations, ${transposes} of them Transpose`,
  );
  console.log(`inputs    ${inputNames.join(", ")}; outputs ${outputNames.join(", ")}`);
  console.log(
    command.flag("unchecked")
      ? "checked   not compared with the model, as asked"
      : "checked   gives what the model gives, at two batch sizes and two lengths of each open axis",
  );
  return {
    json: {
      path: exported.path,
      kind: exported.kind,
      as: exported.as,
      sizeBytes,
      dtype: exported.dtype,
      opset: exported.opset,
      nodes,
      inputNames,
      outputNames,
    },
  };
}

function readShape(text: string): [name: string, shape: InputDimension[]] {
  const [, name, dims] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (dims === undefined) {
    throw new UserError(`Cannot read --shape ${text}: expected INPUT=N,64,64,3`);
  }
  return [
    name,
    dims.split(",").map((dim) => {
      const word = dim.trim();
      if (word === "any") return null;
      return /^\d+$/.test(word) ? Number(word) : word;
    }),
  ];
}

async function exportOfRun(source: string, command: ParsedCommand): Promise<TaskOutcome> {
  refuseOptions(command, MODEL_OPTIONS, source);
  if (command.choice("format", FORMATS) === "safetensors") {
    return await exportOfWeights(source, command);
  }
  const opset = command.integer("opset", { min: 13, max: 21 });
  const dtype = command.choice("dtype", EXPORT_DTYPES);
  const output = command.choice("output", ["float", "uint8"]);
  const out = command.text("out");
  if (out !== undefined && !/[^/]\.onnx$/i.test(out)) {
    throw new UserError(`Cannot export to ${out}: expected a name that ends in .onnx`);
  }
  const run = await findRun(source, command.text("runs") ?? "runs");
  const checkpoint = readCheckpoint(command.text("checkpoint"));
  if (await isModelConfigFile(`${run}/config.json`)) {
    return await exportOfModelRun(run, command, { out, checkpoint, opset });
  }
  const exported = await exportFolder(run, {
    out,
    checkpoint,
    dtype,
    output,
    opset,
    license: command.text("license"),
    onWarning: (message) => console.error(`warning   ${message}`),
  });
  const { path, sizeBytes, parity, nodes, transposes } = exported;
  const { count, runtime, maxDifference, meanDifference, tolerance } = parity;
  console.log(
    `exported  ${path}, after step ${formatInteger(exported.step)}, ${
      formatBytes(sizeBytes)
    }, ${exported.dtype}, opset ${exported.opset}, ` +
      `${nodes} operations, ${transposes} of them Transpose`,
  );
  const largest = output === "uint8"
    ? `${maxDifference} of 255 gray levels`
    : maxDifference.toExponential(1);
  console.log(
    `parity    ${count} latents in ${runtime}: largest difference from the trainer ${largest}, ` +
      `mean ${meanDifference.toExponential(1)} (allowed ${Number(tolerance.toPrecision(3))})`,
  );
  return {
    json: {
      run,
      path,
      step: exported.step,
      sizeBytes,
      dtype: exported.dtype,
      opset: exported.opset,
      nodes,
      parity,
    },
  };
}

async function exportOfModelRun(
  run: string,
  command: ParsedCommand,
  options: ExportModelRunOptions,
): Promise<TaskOutcome> {
  refuseOptions(command, GAN_OPTIONS, run);
  const exported = await exportModelRun(run, {
    ...options,
    onWarning: (message) => console.error(`warning   ${message}`),
  });
  const { path, step, sizeBytes, opset, nodes, inputNames } = exported;
  console.log(
    `exported  ${path}, after step ${formatInteger(step)}, ${
      formatBytes(sizeBytes)
    }, opset ${opset}, ${nodes} operations, a function of ${inputNames.join(" and ")}`,
  );
  console.log("checked   the file gives what the trainer gives");
  return { json: { run, ...exported } };
}

async function exportOfWeights(source: string, command: ParsedCommand): Promise<TaskOutcome> {
  refuseOptions(command, ONNX_OPTIONS, `${source} as safetensors`);
  const out = command.text("out");
  if (out !== undefined && !/[^/]\.safetensors$/i.test(out)) {
    throw new UserError(`Cannot export to ${out}: expected a name that ends in .safetensors`);
  }
  const run = await findRun(source, command.text("runs") ?? "runs");
  if (await isModelConfigFile(`${run}/config.json`)) {
    throw new UserError(
      `Cannot export ${run} as safetensors: it is a model of several networks; its checkpoints hold ` +
        "their weights as state.safetensors",
    );
  }
  const exported = await exportWeights(run, {
    out,
    checkpoint: readCheckpoint(command.text("checkpoint")),
    onWarning: (message) => console.error(`warning   ${message}`),
  });
  const { path, step, tensors, sizeBytes, usesEma } = exported;
  console.log(
    `exported  ${path}, after step ${formatInteger(step)}, ${tensors} tensors, ` +
      `${formatBytes(sizeBytes)}, PyTorch's names and layouts; ` +
      `the generator's are ${usesEma ? "those of the EMA" : "as they were trained"}`,
  );
  return { json: { run, ...exported } };
}

function readCheckpoint(text: string | undefined): CheckpointChoice | number | undefined {
  if (text === undefined || text === "best" || text === "last") return text;
  if (/^\d+$/.test(text)) return Number(text);
  throw new UserError(
    `Cannot export the checkpoint ${text}: expected best, last or a step's number`,
  );
}
