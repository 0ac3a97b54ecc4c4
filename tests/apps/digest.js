/**
 * What every runtime computes of the same generators: a digest of pixels, and one of the bits of all
 * values. JavaScript and no imports, so that pages, Node and Bun run it as it is.
 */

/** The fixtures that make images, and what they are asked for. */
export const MODELS = {
  rgb: {},
  gray: { truncation: 0.5 },
  uint8: {},
  conditional: { label: 2 },
  network: {}, // made by the test: large enough for threads to share the work
};

/**
 * @param {typeof import("../../src/sampler/mod.ts").Sampler} Sampler
 * @param {(name: string) => string | Uint8Array} sourceOf where a model is
 * @param {object} options of `Sampler.load`
 * @returns digests in hexadecimal digits, and what they were computed on
 */
export async function digests(Sampler, sourceOf, options = {}) {
  const pixels = [], values = [];
  let device;
  for (const [name, request] of Object.entries(MODELS)) {
    const sampler = await Sampler.load(sourceOf(name), { device: "wasm", ...options });
    const samples = await sampler.sample({ count: 9, seed: 4294967287, ...request });
    for (const sample of samples) {
      pixels.push(sample.toRgba());
      const { buffer, byteOffset, byteLength } = sample.values;
      values.push(new Uint8Array(buffer, byteOffset, byteLength));
    }
    device = { threads: sampler.device.threads, fallback: sampler.device.fallback };
    await sampler.dispose();
  }
  return { pixels: await sha256(pixels), values: await sha256(values), device };
}

async function sha256(parts) {
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
