/** Images from images: padding, tiles, batches, channels, transparency, noise, refusals. */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { Sampler, UserError } from "../../../src/sampler/mod.ts";
import { axisTiles, mirrored } from "../../../src/sampler/translate/tiles.ts";
import { MODEL_FILES, testImage } from "./files.ts";

const load = async (name: keyof typeof MODEL_FILES) =>
  await Sampler.load(await MODEL_FILES[name](), { device: "wasm", selfTest: true });

/** The largest |difference|. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assertEquals(a.length, b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

Deno.test("a file from images to images says what it takes and gives", async () => {
  await using enlarger = await load("enlarger");
  const { input, output, reach } = enlarger.info.translator!;
  assertEquals([input.channels, input.height, input.multiple, output.factor], [3, null, 1, 2]);
  assertEquals([output.channels, output.range, reach], [3, [-1, 1], 2]);
  await using unet = await load("unet");
  assertEquals([unet.info.translator!.input.multiple, unet.info.noise], [4, 0]);
  await using random = await load("random");
  const { height, width } = random.info.translator!.input;
  assertEquals([height, width, random.info.noise], [16, 16, 16 * 16 * 8]);
});

Deno.test("translate() pads by reflection to what divides sizes, and crops back", async () => {
  await using unet = await load("unet");
  const image = testImage(18, 21, { channels: 1 });
  const made = await unet.translate(image);
  assertEquals([made.width, made.height, made.channels, made.tiles], [18, 21, 1, 1]);
  assertEquals(made.notes, [
    "padded by reflection from 18 x 21 to 20 x 24 pixels, and cropped back",
  ]);
  const padded = new Uint8Array(20 * 24);
  for (let y = 0; y < 24; y++) {
    for (let x = 0; x < 20; x++) {
      padded[y * 20 + x] = image.data[mirrored(y, 21) * 18 + mirrored(x, 18)];
    }
  }
  const whole = await unet.translate({ width: 20, height: 24, data: padded });
  assertEquals(whole.notes, []);
  const cropped = Array.from(made.values, (_, i) => whole.values[Math.floor(i / 18) * 20 + i % 18]);
  assert(distance(made.values, cropped) < 1e-6);
  assertEquals([0, 1, 2, 3, 4, 5].map((at) => mirrored(at, 3)), [0, 1, 2, 1, 0, 1]);
});

Deno.test("translate() in tiles gives what it gives as a whole, without seams", async () => {
  await using enlarger = await load("enlarger");
  const image = testImage(90, 70);
  const whole = await enlarger.translate(image);
  const done: number[] = [];
  const tiled = await enlarger.translate(image, {
    tileSize: 32,
    batchSize: 3,
    onProgress: (progress) => done.push(progress.done, progress.total),
  });
  assertEquals([whole.tiles, tiled.tiles], [1, 12]);
  assertEquals(done.slice(-2), [12, 12]);
  // Half a gray level of 256, the reach that the file was measured for; two pixels from a cut nothing differs.
  assert(distance(whole.values, tiled.values) < 1e-5);
  assertEquals(tiled.notes, ["made in 12 tiles of 32 x 32 pixels"]);
  // Without a reach the cuts show: they are what the reach is for.
  const cut = await enlarger.translate(image, { tileSize: 32, reach: 0 });
  assert(distance(whole.values, cut.values) > 1e-3);
});

Deno.test("tiles cover an axis, and their shares add up to 1", () => {
  for (
    const [size, tile, multiple, reach] of [[100, 32, 1, 2], [300, 96, 32, 20], [17, 24, 4, 1]]
  ) {
    const { padded, starts, weights } = axisTiles({ size, tile, multiple, reach, factor: 2 });
    const sums = new Float64Array(2 * padded);
    for (const [index, start] of starts.entries()) {
      assertEquals(start % multiple, 0);
      weights[index].forEach((weight, at) => sums[2 * start + at] += weight);
    }
    assert(padded >= size);
    assert(sums.every((sum) => Math.abs(sum - 1) < 1e-6));
  }
});

Deno.test("translate() takes lists, gray, colors and transparency, and says what it did", async () => {
  await using enlarger = await load("enlarger");
  const images = [testImage(20, 20), testImage(20, 20, { seed: 2 }), testImage(9, 30)];
  const list = await enlarger.translate(images);
  for (const [index, image] of images.entries()) {
    const alone = await enlarger.translate(image);
    assert(distance(list[index].values, alone.values) < 1e-6);
  }
  const gray = testImage(16, 16, { channels: 1 });
  const rgb = Uint8Array.from({ length: 3 * 256 }, (_, i) => gray.data[Math.floor(i / 3)]);
  const ofGray = await enlarger.translate(gray);
  assertEquals(
    ofGray.notes[0],
    "the model takes colors: gray is given as red, green and blue alike",
  );
  assertEquals(
    ofGray.values,
    (await enlarger.translate({ width: 16, height: 16, data: rgb })).values,
  );

  const opaque = new Uint8Array(4 * 256).fill(255);
  assertEquals((await enlarger.translate({ width: 16, height: 16, data: opaque })).notes, []);
  opaque[3] = 0;
  const seeThrough = await enlarger.translate({ width: 16, height: 16, data: opaque });
  assertEquals(
    seeThrough.notes[0],
    "the model knows no transparency: the result has that of the image",
  );
  const raster = seeThrough.toRaster();
  assertEquals([raster.channels, raster.data[3], raster.data[4 * 32 - 1]], [4, 0, 255]);

  await using unet = await load("unet");
  const ofColors = await unet.translate(testImage(16, 16));
  assertEquals(ofColors.notes, [
    "the model takes gray images: colors are made gray (Rec. 601 luma)",
  ]);
});

Deno.test("translate() draws dropout at sampling by its seed, in files of one size by tiles", async () => {
  await using random = await load("random");
  const image = testImage(16, 16, { channels: 1 });
  const first = await random.translate(image, { seed: 5 });
  assertEquals((await random.translate(image, { seed: 5 })).values, first.values);
  assertNotEquals((await random.translate(image, { seed: 6 })).values, first.values);
  const [, second] = await random.translate([image, image], { seed: 4 });
  assert(distance(second.values, first.values) < 1e-6);
  const large = await random.translate(testImage(40, 10, { channels: 1 }));
  assertEquals([large.width, large.height, large.tiles > 1], [40, 10, true]);
});

Deno.test("translate() stops at its signal, and refuses in one line what it cannot take", async () => {
  await using enlarger = await load("enlarger");
  const controller = new AbortController();
  controller.abort(new Error("enough"));
  await assertRejects(
    () => enlarger.translate(testImage(16, 16), { signal: controller.signal }),
    Error,
    "enough",
  );
  const cases: [() => Promise<unknown>, string][] = [
    [
      () => enlarger.translate({ width: 3, height: 2, data: new Uint8Array(5) }),
      "Cannot translate an image of 3 x 2 pixels with 5 values: it takes",
    ],
    [
      () => enlarger.translate({ width: 9000, height: 9000, channels: 1, data: { length: 81e6 } }),
      "972000000 values, and at most 268435456 are made",
    ],
    [() => enlarger.translate(testImage(9, 9), { tileSize: 8 }), "it takes 13 to 8192 pixels"],
    [() => enlarger.translate(testImage(9, 9), { batchSize: 0 }), "it takes a positive integer"],
    [() => enlarger.translate(testImage(9, 9), { seed: -1 }), "Cannot use seed -1"],
    [() => enlarger.sample(), "it makes images from images; use translate()"],
    [() => enlarger.rows(), "Cannot make rows with"],
  ];
  for (const [call, message] of cases) await assertRejects(call, UserError, message);
  await using captions = await load("captions");
  await assertRejects(
    () => captions.translate(testImage(9, 9)),
    UserError,
    "from latents, and takes no image; use sample()",
  );
});
