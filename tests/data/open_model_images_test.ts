/** Pairs, sets and images for presets of several networks: read, paired, held back, mirrored and cropped alike. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { modelBatches } from "../../src/data/model_data.ts";
import { openModelImages } from "../../src/data/open_model_images.ts";
import { UserError } from "../../src/errors.ts";
import { Raster } from "../../src/raster/raster.ts";

/** Writes gray images of which every pixel is `value(x, y)`. */
async function writeImage(
  path: string,
  [width, height]: [number, number],
  value: (x: number, y: number) => number,
): Promise<void> {
  const data = Uint8Array.from(
    { length: width * height },
    (_, i) => value(i % width, Math.floor(i / width)),
  );
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeFile(path, await new Raster({ width, height, channels: 1, data }).toPng());
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const bytes = (values: Float32Array) => [...values].map((value) => Math.round((value + 1) * 127.5));

Deno.test("openModelImages() divides side-by-side images, and holds the test folder back", () =>
  inFolder(async (folder) => {
    for (const [part, count] of [["train", 3], ["test", 2]] as const) {
      for (let i = 0; i < count; i++) {
        await writeImage(`${folder}/${part}/${i}.png`, [8, 4], (x) => x < 4 ? 10 + i : 200 + i);
      }
    }
    const spec = { source: "image-pairs", path: folder, size: 4 } as const;
    const data = await openModelImages({ ...spec, pairs: "side-by-side" });
    const { a, b } = data.inputs;
    assertEquals([a.count, a.shape, data.heldBack!.a.count], [3, [4, 4, 1], 2]);
    assertEquals(new Set(bytes(a.batch(Uint32Array.of(1)).values)), new Set([11]));
    assertEquals(new Set(bytes(b.batch(Uint32Array.of(1)).values)), new Set([201]));
    const back = await openModelImages({ ...spec, direction: "BtoA" });
    assertEquals(back.inputs.a.fingerprint, b.fingerprint);
  }));

Deno.test("openModelImages() pairs files of two folders by their names, with any ending", () =>
  inFolder(async (folder) => {
    for (const [i, name] of ["c", "a", "b"].entries()) {
      await writeImage(`${folder}/trainA/${name}.png`, [4, 4], () => 10 * i);
      await writeImage(`${folder}/trainB/${name}.PNG`, [4, 4], () => 100 + 10 * i);
    }
    const data = await openModelImages({
      source: "image-pairs",
      path: folder,
      size: 4,
      heldBack: 0,
    });
    const all = Uint32Array.of(0, 1, 2);
    const [a, b] = ["a", "b"].map((input) => bytes(data.inputs[input].batch(all).values));
    assertEquals(a.map((value) => value + 100), b);
    assertEquals(data.heldBack, undefined);
    await Deno.remove(`${folder}/trainB/b.PNG`);
    await assertRejects(
      () => openModelImages({ source: "image-pairs", path: folder, size: 4 }),
      UserError,
      "trainA/b.png has no partner called b in B; both folders need files of the same names",
    );
  }));

Deno.test("openModelImages() mirrors and crops both sides of a pair alike, and nothing that is held back", () =>
  inFolder(async (folder) => {
    for (const side of ["A", "B"]) {
      for (let i = 0; i < 4; i++) {
        await writeImage(`${folder}/${side}/${i}.png`, [8, 8], (x, y) => 16 * i + 8 * x + y);
      }
    }
    const data = await openModelImages({
      source: "image-pairs",
      path: folder,
      size: 6,
      loadSize: 8,
      flip: true,
    });
    assertEquals([data.count, data.views], [3, 2 * 3 * 3]);
    const batchAt = modelBatches(data, { batchSize: 3, seed: 5 });
    const seen = new Set<string>();
    for (let step = 0; step < 12; step++) {
      const { indices } = batchAt(step);
      const [a, b] = ["a", "b"].map((input) =>
        bytes(data.inputs[input].batch(indices[input]).values)
      );
      assertEquals(a, b);
      assertEquals(batchAt(step).indices, indices);
      seen.add(a.slice(0, 36).join());
    }
    assert(seen.size > 8, `${seen.size} views in 12 steps`);
    const held = bytes(data.heldBack!.a.batch(Uint32Array.of(0)).values);
    assertEquals(held[1] - held[0], 8); // not mirrored: gray levels rise to the right
    assertEquals(data.heldBack!.a.shape, [6, 6, 1]);
  }));

Deno.test("openModelImages() makes gray versions, and keeps the same made digits of both sets back", async () => {
  const sets = await openModelImages({ source: "image-sets", count: 20, size: 24 });
  assertEquals(sets.pairing, "apart");
  assertEquals([...sets.heldBack!.a.labels!], [...sets.heldBack!.b.labels!]);
  await inFolder(async (folder) => {
    for (let i = 0; i < 2; i++) {
      const data = Uint8Array.from({ length: 48 }, (_, at) => [255, 0, 0][at % 3]);
      const png = await new Raster({ width: 4, height: 4, channels: 3, data }).toPng();
      await Deno.writeFile(`${folder}/${i}.png`, png);
    }
    const data = await openModelImages({
      source: "image-pairs",
      path: folder,
      pairs: "gray",
      size: 4,
    });
    assertEquals(data.inputs.a.shape, [4, 4, 1]);
    assertEquals(bytes(data.inputs.a.batch(Uint32Array.of(0)).values)[0], 76); // 0.299 of 255
  });
});
