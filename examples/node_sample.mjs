/**
 * Draws a grid of images in Node 20 or newer.
 *
 *     npm install ganforge@file:./ganforge-ganforge-0.1.0.tgz   # made by `deno pack`
 *     node node_sample.mjs generator.onnx grid.png 16 7
 */
import { writeFile } from "node:fs/promises";
import { argv, exit } from "node:process";
import { Sampler, UserError } from "ganforge/sampler";

const [model = "generator.onnx", out = "grid.png", count = "16", seed = "0"] = argv.slice(2);
try {
  const sampler = await Sampler.load(model, { device: "wasm" });
  const samples = await sampler.sample({ count: Number(count), seed: Number(seed) });
  if (samples[0]?.isImage) {
    await writeFile(out, await samples.grid().toPng());
    console.log(`${out}: ${samples.length} images on ${sampler.device.threads} threads`);
  } else {
    for (const sample of samples) console.log(`${sample.seed}\t${sample.values.join("\t")}`);
  }
  await sampler.dispose();
} catch (error) {
  const isOfFiles = error instanceof Error && "syscall" in error; // a folder that is not there, say
  if (!(error instanceof UserError) && !isOfFiles) throw error;
  console.error(error.message);
  exit(2);
}
