/** `deno task train --conditional`, and what `--help` says of presets that take a size. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { inFolder, runTask, TINY, writeConfig } from "./cli.ts";
import { assertRefuses, type Refusal } from "./refusals.ts";

Deno.test("deno task train --conditional gives the labels to networks that had no layer for them", () =>
  inFolder(async (folder) => {
    await writeConfig(folder, TINY);
    const args = ["tiny.json", "--conditional", "--steps", "2", "--json"];
    const { code, stdout, stderr } = await runTask("train", args, folder);
    assertEquals(code, 0, stderr);
    const { run } = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
    const config = JSON.parse(await Deno.readTextFile(`${folder}/${run}/config.json`));
    assertEquals(config.conditional, true);
    assertEquals(config.generator.layers[1].type, "conditional-batch-norm");
    assertEquals(config.discriminator.layers.at(-1).type, "projection-head");

    const sample = ["latest", "--label", "3", "--count", "2", "--out", "threes.png"];
    const sampled = await runTask("sample", sample, folder);
    assertEquals(sampled.code, 0, sampled.stderr);
  }));

const WRONG: Refusal[] = [
  [["ring-2d", "--conditional", "--dry-run"], "the data has no labels; use data with classes"],
  [["--resume", "latest", "--conditional"], "with another network (generator.layers: "],
  [["dcgan@65", "--dry-run"], "Cannot make the preset dcgan for 65 x 65"],
  [
    ["digits@64", "--dry-run"],
    "its networks have one size; those of any size are dcgan, sngan-resnet",
  ],
];

Deno.test("deno task train says why a conditional run or a size cannot be had", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/runs/00000-tiny`, { recursive: true });
    await writeConfig(`${folder}/runs/00000-tiny`, { ...TINY, preset: "config" });
    await assertRefuses("train", WRONG, folder);
  }));

Deno.test("deno task train --help names the presets that take a size, and shows how", () =>
  inFolder(async (folder) => {
    const { code, stdout } = await runTask("train", ["--help"], folder);
    assertEquals(code, 0);
    assertMatch(stdout, /--conditional +use the data's labels/);
    assertStringIncludes(stdout, "dcgan@64, r3gan@32x32x1 (gray), dcgan@64x128 (height x width");
    const { code: dryCode, stderr } = await runTask("train", ["dcgan@64x128", "--dry-run"], folder);
    assertEquals(dryCode, 2); // the size is right, and its images are missing
    assertStringIncludes(stderr, 'The data "images" need a path');
  }));
