/** Images with alpha: trained, exported and sampled with it. */
import { assert, assertEquals } from "@std/assert";
import sharp from "sharp";
import { Sampler, trainRun } from "../../mod.ts";
import { runTask } from "../e2e/cli.ts";
import { TINY } from "../tiny_config.ts";

Deno.test("trainRun() keeps alpha with data.channels=4, through file, samples, report and deno task sample", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/icons`);
    for (let i = 0; i < 16; i++) {
      // a disc of one color, transparent around it
      const data = Uint8Array.from({ length: 8 * 8 * 4 }, (_, at) => {
        const pixel = at >> 2;
        const isInside = (pixel % 8 - 3.5) ** 2 + ((pixel >> 3) - 3.5) ** 2 < 9;
        return at % 4 === 3 ? isInside ? 255 : 0 : 10 * i + 20 * (at % 4);
      });
      const image = sharp(data, { raw: { width: 8, height: 8, channels: 4 } });
      await image.png().toFile(`${folder}/icons/${i}.png`);
    }
    const config = structuredClone({
      ...TINY,
      data: { source: "images", path: `${folder}/icons`, channels: 4 } as const,
    });
    config.discriminator.inputShape = [8, 8, 4];
    const layers = config.generator.layers;
    layers[3] = { type: "dense", units: 256 };
    layers[5] = { type: "reshape", shape: [8, 8, 4] };
    await using run = await trainRun({ ...config, duration: { steps: 6 } }, {
      runsFolder: `${folder}/runs`,
    });
    assertEquals(run.data.shape, [8, 8, 4]);
    const alphas = run.data.pixels!.filter((_, at) => at % 4 === 3);
    assertEquals([...new Set(alphas)].sort(), [0, 255]);

    const { exported, sampled } = await run.finish();
    const sheet = await sharp(await Deno.readFile(sampled)).metadata();
    assertEquals([sheet.format, sheet.channels, sheet.hasAlpha], ["png", 4, true]);
    await run.evaluate({ count: 12 });
    await using sampler = await Sampler.load(exported.path, { device: "wasm", selfTest: true });
    assertEquals(sampler.info.output.shape, [4, 8, 8]);
    const [sample] = await sampler.sample({ seed: 3 });
    const raster = sample.toRaster();
    assertEquals(raster.channels, 4);
    const rgba = raster.toRgba(); // what a page draws
    assertEquals([...rgba], [...raster.data]);
    const levels = new Set(rgba.filter((_, at) => at % 4 === 3));
    assert(levels.size > 8, "alpha is the generator's own, not opaque");

    const drawn = await runTask("sample", [exported.path, "--seeds", "3", "--out", "one/"], folder);
    assertEquals(drawn.code, 0, drawn.stderr);
    const png = await sharp(`${folder}/one/seed0003.png`).raw().toBuffer({
      resolveWithObject: true,
    });
    assertEquals(png.info.channels, 4);
    assertEquals([...png.data], [...rgba]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
