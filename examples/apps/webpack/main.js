// Draws 16 images. webpack emits ONNX Runtime's .wasm by itself.
import { Sampler } from "ganforge/sampler";

const sampler = await Sampler.load("generator.onnx", { device: "wasm" });
const image = (await sampler.sample({ count: 16, seed: 7 })).grid()
  .toImageData();
const canvas = document.querySelector("canvas");
canvas.width = image.width;
canvas.height = image.height;
canvas.getContext("2d").putImageData(image, 0, 0);
document.querySelector("#status").textContent = `Drawn on ${sampler.device.threads} threads`;
await sampler.dispose();
