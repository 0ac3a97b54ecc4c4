// Draws 16 images. esbuild places no .wasm files, so build.js copies ONNX Runtime's into dist/ort.
import { Sampler } from "ganforge/sampler";

const wasm = new URL("ort/", location.href);
const sampler = await Sampler.load("generator.onnx", { device: "wasm", wasm });
const image = (await sampler.sample({ count: 16, seed: 7 })).grid()
  .toImageData();
const canvas = document.querySelector("canvas");
canvas.width = image.width;
canvas.height = image.height;
canvas.getContext("2d").putImageData(image, 0, 0);
document.querySelector("#status").textContent = `Drawn on ${sampler.device.threads} threads`;
await sampler.dispose();
