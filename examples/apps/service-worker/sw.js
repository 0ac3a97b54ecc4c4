// Answers sample/SEED.png with 16 images. Service workers know no dynamic import, hence the static entry.
import { Sampler, UserError } from "ganforge/sampler/static";

let loading;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener(
  "activate",
  (event) => event.waitUntil(self.clients.claim()),
);
self.addEventListener("fetch", (event) => {
  const [, seed] = new URL(event.request.url).pathname.match(/\/sample\/(\d+)\.png$/) ?? [];
  if (seed !== undefined) event.respondWith(answer(Number(seed)));
});

async function answer(seed) {
  try {
    // The cache keeps the model and the .wasm for the next start: a browser ends idle service workers.
    loading ??= Sampler.load("generator.onnx", {
      wasm: new URL("ort-wasm-simd-threaded.wasm", location.href),
      cache: "ganforge",
    });
    const sampler = await loading;
    const png = await (await sampler.sample({ count: 16, seed })).grid()
      .toPng();
    return new Response(png, { headers: { "content-type": "image/png" } });
  } catch (error) {
    loading = undefined; // the next request tries again
    if (error instanceof UserError) {
      return new Response(error.message, { status: 500 });
    }
    throw error;
  }
}
