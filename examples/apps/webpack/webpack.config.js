// Bundles into the folder dist, to which `npm run build` adds the page itself.
import { fileURLToPath } from "node:url";

export default {
  mode: "production",
  entry: "./main.js",
  output: { path: fileURLToPath(new URL("dist", import.meta.url)), clean: true },
  performance: { hints: false }, // the .wasm has 14 MB
};
