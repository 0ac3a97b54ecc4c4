// Draws 16 images in the page, and the same in a worker, which leaves the page free meanwhile.
import { Sampler } from "ganforge/sampler";

const sampler = await Sampler.load("/generator.onnx", { device: "wasm" });
const images = await sampler.sample({ count: 16, seed: 7 });
show("page", images.grid().toImageData(), sampler.device.threads);
await sampler.dispose();

const worker = new Worker(new URL("./worker.js", import.meta.url), {
  type: "module",
});
worker.onmessage = ({ data: { image, threads, message } }) => {
  if (image) show("worker", image, threads);
  else document.querySelector("#worker-status").textContent = message;
};
worker.postMessage({ count: 16, seed: 7 });

/** Puts an image onto a canvas and says how it was drawn. */
function show(name, image, threads) {
  const canvas = document.querySelector(`#${name}`);
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  document.querySelector(`#${name}-status`).textContent = `Drawn on ${threads} threads`;
}
