import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Sampler, UserError } from "../../src/sampler/mod.ts";
import { assertNear, FIXTURES, golden, runScript } from "./helpers.ts";

const adapter = await navigator.gpu?.requestAdapter().catch(() => null) ?? null;
const rgb = `${FIXTURES}rgb.onnx`;

Deno.test({
  name: "Sampler runs on WebGPU, with loads and runs at once, as numpy computes",
  ignore: adapter === null,
  async fn() {
    const names = ["rgb", "conditional"];
    const samplers = await Promise.all(
      names.map((name) => Sampler.load(`${FIXTURES}${name}.onnx`, { device: "webgpu" })),
    );
    const runs = samplers.flatMap((sampler, i) => {
      const { seeds, labels, values } = golden.models[names[i]];
      return seeds.map(async (seed, k) => {
        const [image] = await sampler.sample({ seed, label: labels?.[k] });
        assertNear(image.values, values[k], 1e-4);
      });
    });
    await Promise.all(runs);
    for (const sampler of samplers) {
      assertEquals([sampler.device.name, sampler.device.fallback], ["webgpu", null]);
      await sampler.dispose();
    }
  },
});

/** Runs `use` with another `navigator.gpu`. */
async function withGpu(gpu: unknown, use: () => Promise<void>): Promise<void> {
  const own = Object.getOwnPropertyDescriptor(navigator, "gpu");
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  try {
    await use();
  } finally {
    if (own === undefined) delete (navigator as { gpu?: unknown }).gpu;
    else Object.defineProperty(navigator, "gpu", own);
  }
}

Deno.test("Sampler.load() on auto falls back to wasm and says why", async () => {
  const soft = { info: { isFallbackAdapter: true, description: "llvmpipe" } };
  const gpus: [unknown, RegExp][] = [
    [undefined, /^there is no WebGPU here$/],
    [{ requestAdapter: () => Promise.resolve(null) }, /^WebGPU has no adapter here$/],
    [{ requestAdapter: () => Promise.reject(new Error("no")) }, /^WebGPU has no adapter here$/],
    [{ requestAdapter: () => Promise.resolve(soft) }, /^WebGPU has only a software adapter here$/],
  ];
  for (const [gpu, message] of gpus) {
    await withGpu(gpu, async () => {
      await using sampler = await Sampler.load(rgb);
      assertEquals(sampler.device.name, "wasm");
      assertMatch(sampler.device.fallback!, message);
    });
  }
});

Deno.test({
  name:
    "Sampler.load() on auto tries the file's self-test on WebGPU, and takes wasm where it fails",
  ignore: adapter === null,
  async fn() {
    const own = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, "info")!;
    const info = { vendor: "", architecture: "", device: "", description: "a card" };
    Object.defineProperty(GPUAdapter.prototype, "info", { value: info, configurable: true });
    try {
      await using sound = await Sampler.load(rgb);
      assertEquals([sound.device.name, sound.device.fallback], ["webgpu", null]);
      // A file whose self-test no device passes, as a GPU that computes wrongly would fail that of a sound one.
      const bytes = await Deno.readFile(rgb);
      const text = String.fromCharCode(...bytes);
      const at = text.indexOf('"values":[[') + '"values":[['.length;
      bytes.set(new TextEncoder().encode("9"), at + (text[at] === "-" ? 1 : 0)); // 0.12 -> 9.12
      await using doubted = await Sampler.load(bytes);
      assertEquals(doubted.device.name, "wasm");
      assertMatch(doubted.device.fallback!, /^WebGPU fails: Cannot trust .* its self-test fails/);
      await assertRejects(
        () => Sampler.load(bytes, { device: "webgpu" }),
        UserError,
        "its self-test fails",
      );
    } finally {
      Object.defineProperty(GPUAdapter.prototype, "info", own);
    }
  },
});

Deno.test("Sampler.load() on webgpu fails where there is none", async () => {
  await withGpu(undefined, async () => {
    await assertRejects(
      () => Sampler.load(rgb, { device: "webgpu" }),
      UserError,
      `Cannot run ${rgb} on webgpu: there is no WebGPU here`,
    );
  });
});

Deno.test("A process ends by itself with a sampler that was not disposed, threads and all", async () => {
  const mod = new URL("../../src/sampler/mod.ts", import.meta.url).href;
  const script = `
    import { Sampler } from ${JSON.stringify(mod)};
    const sampler = await Sampler.load(${JSON.stringify(rgb)}, { device: "wasm", threads: 2 });
    const [image] = await sampler.sample({ seed: 7 });
    console.log(sampler.device.threads, image.values.length);
  `;
  assertEquals(await runScript(script, ["--allow-read"]), "2 192");
});

Deno.test("The sampler imports onnxruntime-web and nothing else", async () => {
  const mod = new URL("../../src/sampler/mod.ts", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", mod],
  }).output();
  const graph: { modules: { specifier: string }[] } = JSON.parse(new TextDecoder().decode(stdout));
  const root = new URL("../../", import.meta.url).href;
  const found = graph.modules.map(({ specifier }) => specifier.replace(root, ""))
    .filter((specifier) => !/^(src\/sampler\/|node:)/.test(specifier)).sort(); // node: for types
  assertEquals(found, [
    "npm:/onnxruntime-web@1.30.0",
    "npm:/onnxruntime-web@1.30.0/wasm",
    "npm:/onnxruntime-web@1.30.0/webgpu",
    "src/bytes.ts",
    "src/errors.ts",
    "src/manifest.ts",
    "src/model_manifest.ts",
    "src/ort/start.ts",
    "src/ort/thread_guard.ts",
    "src/ort/types.ts",
    "src/ort/wasm_file.ts",
    "src/ort/wasm_memory.ts",
    "src/ort/web.ts",
    "src/ort/webgpu_file.ts",
    "src/random/counter_random.ts",
    "src/random/latents.ts",
    "src/raster/grid.ts",
    "src/raster/png.ts",
    "src/raster/raster.ts",
    "src/tables/columns.ts",
    "src/tables/dates.ts",
    "src/tables/decode.ts",
    "src/vocabulary.ts",
  ]);
});
