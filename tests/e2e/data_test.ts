/** `deno task data`, and a run that chooses its preset by the data. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import sharp from "sharp";
import { decodePng } from "../png.ts";
import { inFolder, runTask } from "./cli.ts";

/** Photos of two classes: some odd, one broken. */
async function writePhotos(folder: string): Promise<void> {
  for (let i = 0; i < 30; i++) {
    const name = i < 28 ? "cats" : "dogs";
    await Deno.mkdir(`${folder}/${name}`, { recursive: true });
    const data = Uint8Array.from({ length: 40 * 36 * 3 }, (_, at) => (i * 53 + at * at) % 251);
    const image = sharp(data, { raw: { width: 40, height: 36, channels: 3 } });
    await Deno.writeFile(
      `${folder}/${name}/${String(i).padStart(2, "0")}.png`,
      await image.png().toBuffer(),
    );
  }
  await Deno.copyFile(`${folder}/cats/00.png`, `${folder}/cats/copy.png`);
  const blank = { create: { width: 40, height: 36, channels: 3, background: "red" } } as const;
  await Deno.writeFile(`${folder}/dogs/blank.png`, await sharp(blank).png().toBuffer());
  await Deno.writeFile(`${folder}/dogs/broken.png`, new Uint8Array(100));
}

Deno.test("deno task data looks at photos, and the command that it names trains", () =>
  inFolder(async (folder) => {
    await writePhotos(`${folder}/photos`);
    const { code, stdout, stderr } = await runTask("data", ["photos", "--json"], folder);
    assertEquals(code, 0, stderr);
    const found = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
    assertEquals(found.classes, [{ name: "cats", count: 29 }, { name: "dogs", count: 3 }]);
    assertEquals([found.count, found.shape, found.blank.length], [32, [32, 32, 3], 1]);
    assertEquals(found.copies, [[0, 28]]);
    assertEquals(found.broken.length, 1);
    assertStringIncludes(found.broken[0], "photos/dogs/broken.png: it starts with 00 00 00 00");
    assertStringIncludes(stdout, "files     40 x 36 32");
    const sheet = await decodePng(await Deno.readFile(`${folder}/${found.sheet}`));
    assert(sheet.width >= 8 * 32);
    assertEquals(found.train, "deno task train dcgan@32 --data photos --batch 8");
    const refused = await runTask("train", ["--data", "photos", "--dry-run"], folder);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stderr, "broken.png");
    assertStringIncludes(refused.stderr, "--broken skip trains without it");
    const skip = ["--data", "photos", "--broken", "skip", "--dry-run"];
    const planned = await runTask("train", skip, folder);
    assertEquals(planned.code, 0, planned.stderr);
    assertStringIncludes(planned.stdout, "preset    dcgan@32, in batches of 8, for color images");
    assertStringIncludes(planned.stdout, "cats 29, dogs 3");
    const cleaned = await runTask("data", ["--clean"], folder);
    assertEquals(cleaned.code, 0, cleaned.stderr);
    assertStringIncludes(cleaned.stdout, "of decoded data removed from cache");
    const nothing = await runTask("data", [], folder);
    assertEquals(nothing.code, 2);
  }));
