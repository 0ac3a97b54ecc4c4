/** The files that the referees judge: every preset's in each precision, and those of random networks. */
import { EXPORT_DTYPES, exportOnnx } from "../../src/onnx/mod.ts";
import { presetGenerators, trainedNetwork } from "../onnx/networks.ts";
import { randomSpec } from "../onnx/random_spec.ts";

/** One file. */
export interface ExportedFile {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** How many random networks. */
const RANDOM = 300;

/** Makes the files. @param opsets those that the referee knows; they are gone through in turn */
export async function* exportedFiles(opsets: number[]): AsyncGenerator<ExportedFile> {
  for (const { name, spec, distribution } of presetGenerators()) {
    const { weights } = trainedNetwork(spec, 1);
    for (const dtype of EXPORT_DTYPES) {
      const options = { opset: opsets.at(-1), dtype, generator: { distribution } };
      const { bytes } = await exportOnnx({ spec, weights }, options);
      yield { name: `${name}-${dtype}`, bytes };
    }
  }
  for (let seed = 1000; seed < 1000 + RANDOM; seed++) {
    const spec = randomSpec(seed);
    const { weights } = trainedNetwork(spec, seed);
    const dtype = EXPORT_DTYPES[seed % 3];
    const opset = opsets[seed % opsets.length];
    const { bytes } = await exportOnnx({ spec, weights }, { opset, dtype });
    yield { name: `random-${seed}-${dtype}-opset${opset}`, bytes };
  }
}
