/** `deno task export`: writes a run's generator as ONNX, after comparing it with the trainer. */
import { formatInteger } from "../src/text.ts";
import type { CheckpointChoice } from "../src/config/evaluation.ts";
import { UserError } from "../src/errors.ts";
import { EXPORT_DTYPES } from "../src/export/export.ts";
import { exportFolder } from "../src/pipeline/export_run.ts";
import { findRun } from "../src/run/run_folder.ts";
import { type CommandSpec, type ParsedCommand, runTask, type TaskOutcome } from "../cli/command.ts";

const spec: CommandSpec = {
  name: "export",
  summary: "Writes a run's generator as an ONNX file, and checks that it computes the same.",
  positionals: "[RUN | latest]",
  maxPositionals: 1,
  options: {
    checkpoint: {
      value: "best|last|STEP",
      help: "which one: the best that was measured, the last (default), or that of a step",
    },
    out: { value: "FILE.onnx", help: "the file to write (default generator.onnx in the run)" },
    dtype: { value: EXPORT_DTYPES.join("|"), help: "how weights are kept (default fp32)" },
    output: { value: "float|uint8", help: "images as -1 ... 1 (default) or as 0 ... 255" },
    opset: { value: "N", help: "the version of ONNX' operators, 13 to 21 (default 17)" },
    licence: {
      value: "TEXT",
      help: "what you say about using the weights, for the file's manifest",
    },
    runs: { value: "FOLDER", help: "the folder of all runs (default runs)" },
  },
  examples: [
    "deno task export latest",
    "deno task export runs/00003-mnist-mlp --dtype fp16 --out small.onnx",
    "deno task export latest --checkpoint best --out best.onnx",
    "deno task export 3 --output uint8 --licence CC-BY-4.0",
  ],
};

if (import.meta.main) await runTask(spec, main);

async function main(command: ParsedCommand): Promise<TaskOutcome> {
  const opset = command.integer("opset", { min: 13, max: 21 });
  const dtype = command.choice("dtype", EXPORT_DTYPES);
  const output = command.choice("output", ["float", "uint8"]);
  const out = command.text("out");
  if (out !== undefined && !/[^/]\.onnx$/i.test(out)) {
    throw new UserError(`Cannot export to ${out}: expected a name that ends in .onnx`);
  }
  const run = await findRun(command.positionals[0] ?? "latest", command.text("runs") ?? "runs");
  const checkpoint = readCheckpoint(command.text("checkpoint"));
  const exported = await exportFolder(run, {
    out,
    checkpoint,
    dtype,
    output,
    opset,
    licence: command.text("licence"),
    onWarning: (message) => console.error(`warning   ${message}`),
  });
  const { path, sizeBytes, parity, nodes, transposes } = exported;
  const { count, runtime, maxDifference, meanDifference, tolerance } = parity;
  const megabytes = (sizeBytes / 1e6).toPrecision(3);
  console.log(
    `exported  ${path}, after step ${
      formatInteger(exported.step)
    }, ${megabytes} MB, ${exported.dtype}, opset ${exported.opset}, ` +
      `${nodes} operations, ${transposes} of them Transpose`,
  );
  const largest = output === "uint8"
    ? `${maxDifference} of 255 grey levels`
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

function readCheckpoint(text: string | undefined): CheckpointChoice | number | undefined {
  if (text === undefined || text === "best" || text === "last") return text;
  if (/^\d+$/.test(text)) return Number(text);
  throw new UserError(
    `Cannot export the checkpoint ${text}: expected best, last or a step's number`,
  );
}
