// Writes 16 images as grid.png: bun main.ts
import { Sampler } from "ganforge/sampler";

const sampler = await Sampler.load(
  new URL("../generator.onnx", import.meta.url),
  {
    device: "wasm",
  },
);
const images = await sampler.sample({ count: 16, seed: 7 });
await Bun.write("grid.png", await images.grid().toPng());
console.log(`grid.png: drawn on ${sampler.device.threads} threads`);
await sampler.dispose();
