/** The files: how long they take to write, how large and how exact they are. */
import { formatBytes, formatInteger } from "../../src/text.ts";
import { EXPORT_DTYPES, type ExportDtype } from "../../src/export/mod.ts";
import { markdownTable } from "../../src/report/markdown.ts";
import type { SamplingCase } from "./cases.ts";
import type { Plan } from "./plan.ts";
import { denoScript, runMeasurement } from "../process.ts";

/** What `measure_export.ts` prints. */
export interface ExportFigures {
  /** In a new process, where ONNX Runtime has to start for the self-test. */
  firstMs: number;
  /** Once more in the same process. */
  againMs: number;
  sizeBytes: number;
  /** The largest difference from the float32 file's values. */
  maxDifference: number;
  meanDifference: number;
  /** The largest |value| of the float32 file. */
  largestValue: number;
}

/** One file. */
export interface MeasuredExport extends ExportFigures {
  name: SamplingCase;
  dtype: ExportDtype;
}

/** Writes all files into a folder, as {@linkcode modelFile} names them. */
export async function measureExports(
  { cases }: Plan,
  folder: string,
): Promise<MeasuredExport[]> {
  const measured: MeasuredExport[] = [];
  for (const name of cases) {
    for (const dtype of EXPORT_DTYPES) {
      const permissions = ["--allow-read", "--allow-write", "--allow-env"];
      const figures = await runMeasurement<ExportFigures>(
        Deno.execPath(),
        denoScript("sampling/measure_export.ts", permissions, [
          name,
          dtype,
          modelFile(folder, name, dtype),
        ]),
      );
      if (typeof figures === "string") {
        throw new Error(`Cannot export ${name} as ${dtype}: ${figures}`);
      }
      measured.push({ name, dtype, ...figures });
    }
  }
  return measured;
}

/** Where a file is. */
export function modelFile(folder: string, name: SamplingCase, dtype: ExportDtype): string {
  return `${folder}/${name}-${dtype}.onnx`;
}

/** The table with what its columns mean. */
export function exportTable(exports: readonly MeasuredExport[]): string {
  const small = (value: number) => value === 0 ? "0" : value.toExponential(1);
  const rows = exports.map((row) => [
    `${row.name}, ${row.dtype}`,
    formatInteger(row.firstMs),
    formatInteger(row.againMs),
    formatBytes(row.sizeBytes),
    small(row.maxDifference),
    small(row.meanDifference),
    row.largestValue.toFixed(2),
  ]);
  return `${
    markdownTable(
      ["file", ">export, ms", ">again, ms", ">size", ">largest difference", ">mean", ">of up to"],
      rows,
    )
  }

exportOnnx with its self-test, first in a process and again in the same; differences are from the float32
file's values, which reach the last column's number: the weights are initial ones.`;
}
