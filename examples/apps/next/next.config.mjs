/** @type {import("next").NextConfig} */
export default {
  output: "standalone",
  // On the server both are imported from node_modules as they are: ONNX Runtime finds its files there.
  serverExternalPackages: ["ganforge", "onnxruntime-web"],
  // The folder of node_modules, where that is not the app's own, as in this workspace.
  outputFileTracingRoot: new URL("..", import.meta.url).pathname,
  // What "standalone" would leave out, since no import names it: ONNX Runtime's files and the model.
  // Without a workspace it is "./node_modules/...".
  outputFileTracingIncludes: {
    "/api/sample": [
      "../node_modules/onnxruntime-web/dist/ort.node.min.mjs",
      "../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.{mjs,wasm}",
      "./public/generator.onnx",
    ],
  },
  // These make pages cross-origin isolated, which WebAssembly's threads need in a browser.
  headers: () => [{
    source: "/:path*",
    headers: [
      { key: "cross-origin-opener-policy", value: "same-origin" },
      { key: "cross-origin-embedder-policy", value: "require-corp" },
    ],
  }],
};
