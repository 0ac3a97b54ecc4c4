import { assert, assertEquals, assertMatch } from "@std/assert";
import { FIXTURES, golden } from "./helpers.ts";

const ROOT = new URL("../../", import.meta.url);

/** Runs a program and gives what it printed. */
async function run(program: string, args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    signal: AbortSignal.timeout(60_000),
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

/** The packages: which file tells `deno pack` what is in them, and what apps can import. */
const PACKAGES: [config: string, entries: string[]][] = [
  ["deno.sampler.json", ["./sampler"]],
  ["deno.json", [".", "./sampler", "./onnx"]],
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

Deno.test("deno.sampler.json tells the sampler's part of deno.json", async () => {
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

for (const [config, entries] of PACKAGES) {
  Deno.test({
    name:
      `deno pack --config ${config} makes a package whose sampler works in Node, with the same numbers`,
    ignore: !(await has("node")) || !(await has("tar")),
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        const { exports, dependencies } = await installPackage(folder, config);
        assertEquals(Object.keys(exports), entries);
        assert("onnxruntime-web" in dependencies);
        if (entries.length === 1) assertEquals(Object.keys(dependencies), ["onnxruntime-web"]);
        const node = ["--preserve-symlinks", "--preserve-symlinks-main"];
        await Deno.copyFile(new URL("examples/node_sample.mjs", ROOT), `${folder}/node_sample.mjs`);
        const model = `${FIXTURES}rgb.onnx`;
        const drawn = await run(
          "node",
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
        const seen = JSON.parse(await run("node", [...node, "check.mjs", model], folder));
        assertEquals([seen.device.name, seen.device.threads], ["wasm", 2]);
        const frozen = golden.latents.filter(({ distribution }) => distribution === "normal");
        assertEquals(seen.latents, frozen.map(({ values }) => values.slice(0, 8)));
        const worst = Math.max(
          ...seen.values.flatMap((values: number[], i: number) =>
            values.map((value, k) => Math.abs(value - golden.models.rgb.values[i][k]))
          ),
        );
        assert(worst < 1e-5, `${worst}`);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
