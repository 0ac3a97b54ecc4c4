// Loads the generator with the first request, and answers each with an image.
import { Sampler } from "ganforge/sampler";

let loading;

self.onmessage = async ({ data: request }) => {
  try {
    loading ??= Sampler.load(new URL("/generator.onnx", location.origin), {
      device: "wasm",
    });
    const sampler = await loading;
    const image = (await sampler.sample(request)).grid().toImageData();
    postMessage({ image, threads: sampler.device.threads });
  } catch (error) {
    postMessage({ message: error.message });
  }
};
