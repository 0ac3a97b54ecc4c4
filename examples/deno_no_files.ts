/**
 * Answers with 16 images, and reads and writes no file: the model and ONNX Runtime's WebAssembly come
 * over the network, as on a host without a disk.
 *
 *     deno run --allow-net examples/deno_no_files.ts MODEL_URL WASM_URL
 */
import { Sampler } from "@ganforge/ganforge/sampler";

const [model, wasm] = Deno.args;
const sampler = await Sampler.load(model, { device: "wasm", wasm: await fetch(wasm) });

Deno.serve({ hostname: "127.0.0.1", port: 0 }, async () => {
  const images = await sampler.sample({ count: 16, seed: 7 });
  return new Response(await images.grid().toPng(), { headers: { "content-type": "image/png" } });
});
