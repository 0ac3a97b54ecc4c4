import { defineConfig } from "vite";

// The two headers make the page cross-origin isolated, which WebAssembly's threads need. Your own
// server has to send them too; without them the sampler runs on one thread.
const headers = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

export default defineConfig({
  server: { headers },
  preview: { headers },
  // ONNX Runtime starts its threads as module workers from inside our worker.
  worker: { format: "es" },
});
