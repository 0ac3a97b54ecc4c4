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

/** A folder with the packed sampler and its dependencies in node_modules, as `npm install` makes it. */
async function installPackage(folder: string): Promise<void> {
  const source = `${folder}/source`;
  for (const name of ["src/sampler", "src/random"]) {
    await Deno.mkdir(`${source}/${name}`, { recursive: true });
    for await (const { name: file } of Deno.readDir(new URL(name, ROOT))) {
      await Deno.copyFile(new URL(`${name}/${file}`, ROOT), `${source}/${name}/${file}`);
    }
  }
  for (const name of ["src/errors.ts", "src/manifest.ts", "src/wasm_memory.ts", "LICENSE"]) {
    await Deno.copyFile(new URL(name, ROOT), `${source}/${name}`);
  }
  const { version, license, imports } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  );
  await Deno.writeTextFile(
    `${source}/deno.json`,
    JSON.stringify({
      name: "@ganforge/ganforge",
      version,
      license,
      exports: { "./sampler": "./src/sampler/mod.ts" },
      imports: { "onnxruntime-web": imports["onnxruntime-web"] },
    }),
  );
  const args = ["pack", "--allow-dirty", "--no-source-maps", "--output", `${folder}/ganforge.tgz`];
  await run(Deno.execPath(), args, source);
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
}

Deno.test({
  name: "`deno pack` makes a package whose sampler entry works in Node, with the same numbers",
  ignore: !(await has("node")) || !(await has("tar")),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await installPackage(folder);
      const node = ["--preserve-symlinks", "--preserve-symlinks-main"];
      await Deno.copyFile(new URL("examples/node_sample.mjs", ROOT), `${folder}/node_sample.mjs`);
      const model = `${FIXTURES}rgb.onnx`;
      const drawn = await run("node", [...node, "node_sample.mjs", model, "grid.png", "9"], folder);
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
