// Writes 16 images as grid.png, from a CommonJS module: node main.cjs
// ganforge is an ES module, which CommonJS imports with `import()`.
const { writeFile } = require("node:fs/promises");
const { join } = require("node:path");

async function main() {
  const { Sampler } = await import("ganforge/sampler");
  const sampler = await Sampler.load(join(__dirname, "../generator.onnx"), {
    device: "wasm",
  });
  const images = await sampler.sample({ count: 16, seed: 7 });
  await writeFile("grid.png", await images.grid().toPng());
  console.log(`grid.png: drawn on ${sampler.device.threads} threads`);
  await sampler.dispose();
}

main();
