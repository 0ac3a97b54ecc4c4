/** The package's types in the oldest TypeScript that docs/embedding.md names, and in the newest. */
import { assertEquals } from "@std/assert";
import { APPS, nodeProgram, prepareApps, RUNTIMES } from "../../tasks/test/apps.ts";
import { testName } from "./browsers/browsers.ts";

const missing = await prepareApps(false);

/** Uses what an app uses, and one thing that is wrong: the types are there and no `any`. */
const APP = `
import { type LoadOptions, type Sample, Sampler, UserError } from "ganforge/sampler";
import { Sampler as StaticSampler } from "ganforge/sampler/static";

const options: LoadOptions = {
  device: "wasm",
  onProgress: ({ stage, loadedBytes, totalBytes }) => console.log(stage, loadedBytes, totalBytes),
};

export async function draw(model: string | Uint8Array): Promise<ImageData> {
  const sampler: Sampler = await Sampler.load(model, options);
  for await (const sample of sampler.stream({ count: 2, label: "star" })) show(sample);
  const images = await sampler.sample({ count: 4, seed: 7, truncation: 0.7 });
  const png: Uint8Array<ArrayBuffer> = await images.grid({ columns: 2 }).toPng();
  console.log(png.length, sampler.info.output.shape, sampler.device.fallback);
  await sampler.dispose();
  return images.grid().toImageData();
}

function show(sample: Sample): void {
  const values: Float32Array | Uint8Array = sample.values;
  console.log(values.length, sample.toRgba().length);
}

// @ts-expect-error: there is no such device
Sampler.load("generator.onnx", { device: "cpu" }).catch((error) => error instanceof UserError);
console.log(StaticSampler === Sampler);
`;

const OPTIONS = {
  strict: true,
  noEmit: true,
  skipLibCheck: false, // the declarations themselves are checked
  target: "es2022",
  lib: ["es2022", "dom", "dom.iterable", "esnext.disposable"],
  types: [],
};

/** How packages are found. */
const NODE = { module: "nodenext" };
const BUNDLER = { module: "esnext", moduleResolution: "bundler" };

for (const which of ["oldest", "newest"]) {
  Deno.test({
    name: testName(`the package's types compile in the ${which} TypeScript`, missing),
    ignore: missing !== null,
    async fn() {
      const folder = await Deno.makeTempDir({ dir: APPS }); // where node_modules is found
      try {
        await Deno.writeTextFile(`${folder}/package.json`, '{ "type": "module" }');
        await Deno.writeTextFile(`${folder}/app.ts`, APP);
        for (const way of which === "oldest" ? [NODE] : [NODE, BUNDLER]) {
          const config = { compilerOptions: { ...OPTIONS, ...way }, files: ["app.ts"] };
          await Deno.writeTextFile(`${folder}/tsconfig.json`, JSON.stringify(config));
          const { code, stdout } = await new Deno.Command(await nodeProgram() ?? "node", {
            args: [`${RUNTIMES}/node_modules/typescript-${which}/bin/tsc`, "-p", folder],
          }).output();
          assertEquals([code, new TextDecoder().decode(stdout)], [0, ""]);
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
