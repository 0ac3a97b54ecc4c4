/**
 * Exports one generator in one precision, in a process of its own, writes the file and prints a JSON line.
 *
 *     deno run --allow-read --allow-write --allow-env bench/sampling/measure_export.ts CASE DTYPE OUT.onnx
 */
import { type ExportDtype, exportOnnx } from "../../src/export/mod.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { type SamplingCase, untrainedGenerator } from "./cases.ts";
import { median } from "./loop.ts";

/** Images that are compared; WebAssembly computes float16 slowly. */
const COMPARED = 16;

const [name, dtype, out] = Deno.args as [SamplingCase, ExportDtype, string];
const { spec, weights, latent } = untrainedGenerator(name);
const write = (dtype: ExportDtype) =>
  exportOnnx({ spec, weights }, {
    dtype,
    generator: { distribution: latent.distribution, preset: name },
  });

const times: number[] = [];
let file = await timed(dtype);
for (let again = 0; again < 3; again++) file = await timed(dtype);
await Deno.writeFile(out, file.bytes);
const reference = dtype === "fp32" ? file : await write("fp32");
console.log(JSON.stringify({
  firstMs: times[0],
  againMs: median(times.slice(1)),
  sizeBytes: file.sizeBytes,
  nodes: file.nodes,
  ...(await compare(file.bytes, reference.bytes)),
}));
Deno.exit(0);

async function timed(dtype: ExportDtype) {
  const from = performance.now();
  const file = await write(dtype);
  times.push(performance.now() - from);
  return file;
}

/** How far a file's images, in -1 ... 1, are from another's, over a few seeds. */
async function compare(
  bytes: Uint8Array<ArrayBuffer>,
  others: Uint8Array<ArrayBuffer>,
): Promise<{ maxDifference: number; meanDifference: number; largestValue: number }> {
  const [images, expected] = await Promise.all([bytes, others].map(draw));
  let maxDifference = 0;
  let largestValue = 0;
  let sum = 0;
  let count = 0;
  images.forEach(({ values }, i) => {
    values.forEach((value, k) => {
      const difference = Math.abs(value - expected[i].values[k]);
      maxDifference = Math.max(maxDifference, difference);
      largestValue = Math.max(largestValue, Math.abs(expected[i].values[k]));
      sum += difference;
    });
    count += values.length;
  });
  return { maxDifference, meanDifference: sum / count, largestValue };
}

async function draw(bytes: Uint8Array<ArrayBuffer>) {
  await using sampler = await Sampler.load(bytes, { device: "wasm" });
  return await sampler.sample({ count: COMPARED });
}
