// Draws what the popup asks for. Service workers know no dynamic import, hence the static entry.
import { Sampler } from "ganforge/sampler/static";

let loading;

chrome.runtime.onMessage.addListener(({ seed }, _sender, respond) => {
  draw(seed).then(respond, (error) => respond({ message: error.message }));
  return true; // the answer comes later
});

async function draw(seed) {
  loading ??= Sampler.load(chrome.runtime.getURL("generator.onnx"), {
    wasm: chrome.runtime.getURL("ort-wasm-simd-threaded.wasm"),
  });
  const sampler = await loading;
  const { width, height, data } = (await sampler.sample({ count: 16, seed }))
    .grid().toImageData();
  return { width, height, pixels: Array.from(data) };
}
