import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";

// See ../vite/vite.config.js for the headers.
const headers = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

export default defineConfig({
  plugins: [sveltekit()],
  server: { headers },
  preview: { headers },
});
