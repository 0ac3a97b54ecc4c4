// Bundles the page into the folder dist, with ONNX Runtime's .wasm and what public holds.
import { cp } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

await build({
  entryPoints: ["main.js"],
  bundle: true,
  minify: true,
  format: "esm",
  // Keeps ONNX Runtime in a file of its own, which its threads load again.
  splitting: true,
  outdir: "dist",
});
const wasm = import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");
await cp(fileURLToPath(wasm), "dist/ort/ort-wasm-simd-threaded.wasm");
await cp("public", "dist", { recursive: true, dereference: true });
