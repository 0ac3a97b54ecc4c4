/** Images that are no squares: from a folder to a trained, exported and sampled generator. */
import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { decodePng } from "../png.ts";
import { Raster } from "../../src/sampler/mod.ts";
import { fillUniform } from "../../src/random/counter_random.ts";
import { inFolder, runTask } from "./cli.ts";

/** Images 40 pixels high and 60 wide: a bright disc somewhere on a color ramp. */
async function drawImages(folder: string, count: number): Promise<void> {
  const [height, width] = [40, 60];
  for (let i = 0; i < count; i++) {
    const [u, v, tint] = fillUniform(new Float32Array(3), { seed: 5, stream: 0, step: i });
    const [cx, cy] = [10 + 40 * u, 10 + 20 * v];
    const data = new Uint8ClampedArray(width * height * 3);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inside = Math.hypot(x - cx, y - cy) < 8;
        const at = 3 * (y * width + x);
        data.set(inside ? [250, 240, 60] : [x * 3, 255 * tint, 150 - 3 * y], at);
      }
    }
    const png = await new Raster({ width, height, channels: 3, data: new Uint8Array(data) })
      .toPng();
    await Deno.writeFile(`${folder}/${String(i).padStart(3, "0")}.png`, png);
  }
}

Deno.test("images of 40 x 60 train dcgan at 16 x 32, and its samples have that size", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/photos`);
    await drawImages(`${folder}/photos`, 24);
    const options = ["--data", "photos", "--batch", "8", "--device", "cpu"];
    const train = ["dcgan", "--size", "16x32", ...options, "--steps", "4", "--json"];
    const { code, stdout, stderr } = await runTask("train", train, folder);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "24 images of photos");
    assertStringIncludes(stdout, "32 x 16 pixels, RGB");
    const run = `${folder}/${JSON.parse(stdout.trimEnd().split("\n").at(-1)!).run}`;
    const config = JSON.parse(await Deno.readTextFile(`${run}/config.json`));
    assertEquals(config.data, { source: "auto", path: "photos", size: [16, 32], channels: 3 });
    assertEquals(config.discriminator.inputShape, [16, 32, 3]);

    const out = ["--count", "2", "--columns", "2", "--scale", "1", "--out", "two.png"];
    const sampled = await runTask("sample", ["latest", ...out], folder);
    assertEquals(sampled.code, 0, sampled.stderr);
    const grid = await decodePng(await Deno.readFile(`${folder}/two.png`));
    assertEquals([grid.width, grid.height], [2 * 32 + 3, 16 + 2]);
    // The data's own images went in cut to 2 : 1 and made smaller: red runs from side to side, 0 to 177,
    // and of blue, 150 to 33 from top to bottom, five rows are missing above and below.
    const reals = await decodePng(await Deno.readFile(`${run}/reals.png`));
    const { columns } = config.snapshots;
    const scale = reals.width / (33 * columns + 1);
    assertEquals([scale % 1, reals.channels], [0, 3]);
    for (let image = 0; image < columns; image++) {
      const color = (x: number, y: number) => {
        const at = scale * ((1 + y) * reals.width + 33 * image + 1 + x);
        return reals.data.subarray(3 * at, 3 * at + 3);
      };
      for (let y = 0; y < 16; y++) { // a disc near a side only rings there
        const [left, right] = [color(0, y), color(31, y)];
        const blue = 150 - 3 * (5 + 30 * (y + 0.5) / 16 - 0.5);
        assertAlmostEquals(left[0], 3 * (60 / 64 - 0.5), 8);
        assertAlmostEquals(right[0], 3 * (59.5 - 60 / 64), 8);
        assertAlmostEquals(left[2], blue, 8);
        assertAlmostEquals(right[2], blue, 8);
      }
    }
    const evaluated = await runTask("evaluate", ["latest", "--count", "24"], folder);
    assertEquals(evaluated.code, 0, evaluated.stderr);

    const twice = await runTask("train", ["dcgan@16x32", "--size", "16x32", ...options], folder);
    assertEquals(twice.code, 2);
    assertStringIncludes(twice.stderr, "both say how large the images are; give one of them");
    const wrong = await runTask("train", ["ring-2d", "--size", "16x32"], folder);
    assertEquals(wrong.code, 2);
    assertStringIncludes(wrong.stderr, 'the source "ring-2d" has no use for "size"');
  }));
