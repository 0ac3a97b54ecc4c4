/** The files that the referees check: every preset's in each precision, and those of random networks. */
import { EXPORT_DTYPES, exportOnnx } from "../../src/export/mod.ts";
import { presetGenerators, trainedNetwork } from "../export/networks.ts";
import { randomFunction } from "../export/random_functions.ts";
import { randomSpec } from "../export/random_spec.ts";

/** One file. */
export interface ExportedFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** All versions of ONNX' operators that are written. */
export const OPSETS: readonly number[] = [13, 14, 15, 16, 17, 18, 19, 20, 21];

/** How many random networks. */
const RANDOM = 108;

/**
 * Makes the files: presets in the usual opset and, once, in another; random networks in each precision and
 * opset in turn.
 * @param opsets those that the referee knows
 */
export async function* exportedFiles(opsets: readonly number[]): AsyncGenerator<ExportedFile> {
  for (const [index, { name, spec, distribution }] of presetGenerators().entries()) {
    const { weights } = trainedNetwork(spec, 1);
    const other = { dtype: EXPORT_DTYPES[index % 3], opset: opsets[index % opsets.length] };
    for (
      const { dtype, opset } of [...EXPORT_DTYPES.map((dtype) => ({ dtype, opset: 17 })), other]
    ) {
      const options = { opset, dtype, generator: { distribution }, check: false };
      const { bytes } = await exportOnnx({ spec, weights }, options);
      yield { name: `${name}-${dtype}-opset${opset}`, bytes };
    }
  }
  for (let seed = 1000; seed < 1000 + RANDOM; seed++) {
    const spec = randomSpec(seed);
    const { weights } = trainedNetwork(spec, seed);
    const dtype = EXPORT_DTYPES[Math.floor(seed / opsets.length) % 3];
    const opset = opsets[seed % opsets.length];
    const { bytes } = await exportOnnx({ spec, weights }, { opset, dtype, check: false });
    yield { name: `random-${seed}-${dtype}-opset${opset}`, bytes };
  }
}

/** How many random functions. */
const FUNCTIONS = 60;

/** Makes the files of random functions with open height and width, in each precision and opset in turn. */
export async function* exportedFunctions(
  opsets: readonly number[],
): AsyncGenerator<ExportedFile> {
  for (let seed = 1000; seed < 1000 + FUNCTIONS; seed++) {
    const dtype = EXPORT_DTYPES[Math.floor(seed / opsets.length) % 3];
    const opset = opsets[seed % opsets.length];
    const { bytes } = await exportOnnx(randomFunction(seed).target, { opset, dtype, check: false });
    yield { name: `function-${seed}-${dtype}-opset${opset}`, bytes };
  }
}
