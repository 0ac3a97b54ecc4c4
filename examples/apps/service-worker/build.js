// Bundles the service worker into one file of the folder dist, with ONNX Runtime's .wasm and what public
// holds.
import { cp } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

await build({
  entryPoints: ["sw.js"],
  bundle: true,
  minify: true,
  format: "esm",
  outdir: "dist",
});
const wasm = import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");
await cp(fileURLToPath(wasm), "dist/ort-wasm-simd-threaded.wasm");
await cp("public", "dist", { recursive: true, dereference: true });
