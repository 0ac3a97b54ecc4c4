import { nodeProgram } from "../../tasks/test/apps.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { FIXTURES, golden } from "./helpers.ts";

const ROOT = new URL("../../", import.meta.url);

/** Runs a program and gives what it printed. */
async function run(program: string, args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    signal: AbortSignal.timeout(600_000), // ends what hangs; a loaded machine may take minutes
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert(success, `${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}${text}`);
  return text.trim();
}

async function has(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null" }).output())
      .success;
  } catch {
    return false;
  }
}

/** The packages: which file gives `deno pack` what is in them, and what apps can import. */
const PACKAGES: [config: string, entries: string[]][] = [
  ["deno.sampler.json", ["./sampler", "./sampler/static"]],
  ["deno.json", [".", "./sampler", "./sampler/static", "./onnx"]],
];

/**
 * A folder with a package and onnxruntime-web in node_modules, and nothing else: what `npm install` would
 * add to it, the sampler must not need.
 * @returns its package.json
 */
async function installPackage(folder: string, config: string) {
  const args = ["pack", "--config", config, "--allow-dirty", "--no-source-maps"];
  await run(Deno.execPath(), [...args, "--output", `${folder}/ganforge.tgz`], ROOT.pathname);
  await run("tar", ["xzf", "ganforge.tgz"], folder);
  const modules = `${folder}/node_modules`;
  await Deno.mkdir(modules);
  await Deno.rename(`${folder}/package`, `${modules}/ganforge`);
  // What npm would download lies in Deno's cache already.
  const runtime = new URL("../", import.meta.resolve("onnxruntime-web/wasm")).pathname;
  await Deno.symlink(runtime, `${modules}/onnxruntime-web`);
  await Deno.symlink(
    runtime.replaceAll("onnxruntime-web", "onnxruntime-common"),
    `${modules}/onnxruntime-common`,
  );
  return JSON.parse(await Deno.readTextFile(`${modules}/ganforge/package.json`));
}

/** Adds the package's other dependencies, and what those depend on, from Deno's cache. */
async function linkDependencies(folder: string): Promise<void> {
  const registry = new URL("../../../", import.meta.resolve("onnxruntime-web/wasm")).pathname;
  const lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", ROOT)));
  const versions = new Map(
    Object.keys(lock.npm).map((key) => {
      const [, name, version] = key.match(/^(.+?)@(\d[^_]*)/)!;
      return [name, version];
    }),
  );
  const linked = new Set(["onnxruntime-web", "onnxruntime-common"]);
  const pending = [`${folder}/node_modules/ganforge`];
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    const { dependencies = {} } = JSON.parse(await Deno.readTextFile(`${place}/package.json`));
    for (const name of Object.keys(dependencies).filter((name) => !linked.has(name))) {
      linked.add(name);
      const target = `${registry}${name}/${versions.get(name)}`;
      await Deno.mkdir(new URL(".//", `file://${folder}/node_modules/${name}`), {
        recursive: true,
      });
      await Deno.symlink(target, `${folder}/node_modules/${name}`);
      pending.push(target);
    }
  }
}

/** Exports a model and a function, and samples from both. */
const EXPORTING = `import * as tf from "@tensorflow/tfjs";
import { checkParity, exportOnnx } from "ganforge/onnx";
import { Sampler } from "ganforge/sampler";
await tf.setBackend("cpu");
const { dense, reshape, batchNormalization, conv2dTranspose } = tf.layers;
const model = tf.sequential({ layers: [
  dense({ units: 32, inputShape: [5], activation: "relu" }),
  reshape({ targetShape: [4, 4, 2] }),
  batchNormalization(),
  conv2dTranspose({ filters: 3, kernelSize: 4, strides: 2, padding: "same", activation: "tanh" }),
] });
const mixing = tf.tensor2d([[1, -2], [0.5, 3], [2, 0]]);
const fn = ({ z }) => tf.matMul(z, mixing);
const target = { inputs: { z: { shape: [null, 3] } }, fn, weights: { mixing } };
const report = [];
for (const [each, apply] of [[model, (x) => model.predict(x)], [target, (z) => fn({ z })]]) {
  const exported = await exportOnnx(each, { generator: {} });
  const { maxDifference } = await checkParity(exported, async ({ data, shape }) => {
    const y = apply(tf.tensor(data, shape));
    return { shape: y.shape, dtype: "float32", data: y.dataSync() };
  }, { tolerance: 1e-5, count: 4 });
  const sampler = await Sampler.load(exported.bytes, { selfTest: true });
  report.push({ shape: sampler.info.output.shape, maxDifference });
}
console.log(JSON.stringify({ node: process.version, report }));
`;

Deno.test("deno.sampler.json repeats the sampler's part of deno.json", async () => {
  const [part, whole] = await Promise.all(
    ["deno.sampler.json", "deno.json"].map(async (name) =>
      JSON.parse(await Deno.readTextFile(new URL(name, ROOT)))
    ),
  );
  for (const field of ["name", "version", "license"]) assertEquals(part[field], whole[field]);
  for (const field of ["exports", "imports"]) {
    for (const [name, value] of Object.entries(part[field])) {
      assertEquals(value, whole[field][name], `${field} ${name}`);
    }
  }
});

const NODE = await nodeProgram();

for (const [config, entries] of PACKAGES) {
  Deno.test({
    name:
      `deno pack --config ${config} makes a package that works in Node, with the same numbers: ` +
      entries.filter((entry) => entry !== ".").join(", ") +
      (NODE === undefined ? " (ignored: needs Node 20.19)" : ""),
    ignore: NODE === undefined || !(await has("tar")),
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        const { exports, dependencies } = await installPackage(folder, config);
        assertEquals(Object.keys(exports), entries);
        assert("onnxruntime-web" in dependencies);
        if (!entries.includes("./onnx")) {
          assertEquals(Object.keys(dependencies), ["onnxruntime-web"]);
        }
        const node = ["--preserve-symlinks", "--preserve-symlinks-main"];
        await Deno.copyFile(new URL("examples/node_sample.mjs", ROOT), `${folder}/node_sample.mjs`);
        const model = `${FIXTURES}rgb.onnx`;
        const drawn = await run(
          NODE!,
          [...node, "node_sample.mjs", model, "grid.png", "9"],
          folder,
        );
        assertMatch(drawn, /^grid\.png: 9 images on \d+ threads$/);
        const grid = await createImageBitmap(new Blob([await Deno.readFile(`${folder}/grid.png`)]));
        assertEquals([grid.width, grid.height], [32, 32]); // 3 * (8 + 2) + 2
        grid.close();

        await Deno.writeTextFile(
          `${folder}/check.mjs`,
          `import { Sampler } from "ganforge/sampler";
        const sampler = await Sampler.load(process.argv[2], { selfTest: true, threads: 2 });
        const seeds = [0, 7, 4294967295];
        const samples = await sampler.sample({ seeds });
        console.log(JSON.stringify({
          device: sampler.device,
          latents: seeds.map((seed) => Array.from(sampler.latent(seed))),
          values: samples.map((sample) => Array.from(sample.values)),
        })); // no dispose: the process must end by itself`,
        );
        const seen = JSON.parse(await run(NODE!, [...node, "check.mjs", model], folder));
        assertEquals([seen.device.name, seen.device.threads], ["wasm", 2]);
        const frozen = golden.latents.filter(({ distribution }) => distribution === "normal");
        assertEquals(seen.latents, frozen.map(({ values }) => values.slice(0, 8)));
        const worst = Math.max(
          ...seen.values.flatMap((values: number[], i: number) =>
            values.map((value, k) => Math.abs(value - golden.models.rgb.values[i][k]))
          ),
        );
        assert(worst < 1e-5, `${worst}`);

        if (!entries.includes("./onnx")) return;
        await linkDependencies(folder);
        await Deno.writeTextFile(`${folder}/export.mjs`, EXPORTING);
        const { report } = JSON.parse(await run(NODE!, [...node, "export.mjs"], folder));
        assertEquals(report.map(({ shape }: { shape: number[] }) => shape), [[3, 8, 8], [2]]);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
