// Writes 16 images as grid.png, from an ES module: node main.mjs
import { writeFile } from "node:fs/promises";
import { Sampler } from "ganforge/sampler";

const sampler = await Sampler.load(
  new URL("../generator.onnx", import.meta.url),
  {
    device: "wasm",
  },
);
const images = await sampler.sample({ count: 16, seed: 7 });
await writeFile("grid.png", await images.grid().toPng());
console.log(`grid.png: drawn on ${sampler.device.threads} threads`);
await sampler.dispose();
