/** Manifests of models: read back, and refused in one line before memory is asked for. */
import { assertEquals, assertThrows } from "@std/assert";
import { MANIFEST_KEY } from "../../../src/manifest.ts";
import { parseFileManifest } from "../../../src/model_manifest.ts";
import { readModelFile } from "../../../src/sampler/model_file.ts";
import { MODEL_FILES } from "./files.ts";

// deno-lint-ignore no-explicit-any -- fields are changed to what no type allows
async function manifestOf(name: keyof typeof MODEL_FILES): Promise<any> {
  const { metadata } = readModelFile(await MODEL_FILES[name](), name);
  return JSON.parse(metadata.get(MANIFEST_KEY)!);
}

Deno.test("parseFileManifest() says what is wrong with a manifest of a model", async () => {
  const [enlarger, rows, captions] = [
    await manifestOf("enlarger"),
    await manifestOf("rows"),
    await manifestOf("captions"),
  ];
  for (const sound of [enlarger, rows, captions]) {
    assertEquals(parseFileManifest(JSON.stringify(sound)), sound);
  }
  const { image, output, selfTest } = enlarger;
  const [first, ...others] = rows.table.columns;
  const column = (change: object) => ({
    ...rows,
    table: { ...rows.table, columns: [{ ...first, ...change }, ...others] },
  });
  const cases: [unknown, string][] = [
    [{ ...enlarger, formatVersion: 2 }, "of format 2"],
    [{ ...enlarger, image: { ...image, channels: 2 ** 40 } }, "image.channels"],
    [{ ...enlarger, image: { ...image, height: 2 ** 20, width: 2 ** 20 } }, "is more than"],
    [{ ...enlarger, image: { ...image, multiple: 0 } }, "image.multiple"],
    [{ ...enlarger, image: { ...image, range: [1, 1] } }, "image.range"],
    [{ ...enlarger, output: { ...output, factor: 1e9 } }, "output.factor"],
    [{ ...enlarger, noise: { size: 2 ** 31 } }, "noise.size"],
    [{ ...enlarger, reach: -1 }, "reach is not"],
    [{ ...enlarger, selfTest: { ...selfTest, height: 2 ** 20 } }, "more than 1048576 pixels"],
    [{ ...enlarger, selfTest: { ...selfTest, values: [[]] } }, "selfTest.values"],
    [{ ...rows, table: { ...rows.table, columns: [] } }, "table.columns is not a list"],
    [column({ name: others[0].name }), "which another column has"],
    [column({ categories: [1] }), "categories is not a list of names"],
    [column({ hasMissing: "no" }), "hasMissing"],
    [column({ kind: "text" }), 'kind is "text"'],
    [column({ categories: ["a"] }), "has rows of"],
    [{ ...rows, table: { ...rows.table, conditions: [] } }, "has 0 categories"],
    [{ ...captions, vocabulary: { words: ["a", "a"], maxLength: 4 } }, "has a word twice"],
    [{ ...captions, vocabulary: { words: ["a"], maxLength: 1e9 } }, "vocabulary.maxLength"],
  ];
  for (const [manifest, message] of cases) {
    assertThrows(() => parseFileManifest(JSON.stringify(manifest)), TypeError, message);
  }
});
