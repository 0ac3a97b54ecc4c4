/** `deno task sample` with models of images, rows and captions: what it writes, and what it refuses in a line. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { MODEL_FILES, testImage } from "../sampler/models/files.ts";
import { ROOT, taskArgs } from "../e2e/cli.ts";
import { encodePng } from "../../src/raster/png.ts";
import { decodeImage } from "../../src/data/images/decode.ts";

async function sample(...args: string[]): Promise<{ code: number; error: string }> {
  const [run, ...permissions] = await taskArgs("sample");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [run, "--no-check", ...permissions, "--device", "wasm", ...args],
    cwd: ROOT,
  }).output();
  return { code, error: new TextDecoder().decode(stderr) };
}

Deno.test("sample writes images of images, rows with a condition, images of a text; and refuses in one line", async () => {
  const folder = await Deno.makeTempDir();
  for (const name of ["enlarger", "rows", "captions"] as const) {
    await Deno.writeFile(`${folder}/${name}.onnx`, await MODEL_FILES[name]());
  }
  await Deno.mkdir(`${folder}/photos`);
  for (const [name, width] of [["a", 20], ["b", 31]] as const) {
    const png = await encodePng(testImage(width, 12) as Parameters<typeof encodePng>[0]);
    await Deno.writeFile(`${folder}/photos/${name}.png`, png);
  }
  const [enlarger, rows, captions] = ["enlarger", "rows", "captions"].map((name) =>
    `${folder}/${name}.onnx`
  );
  const written = await Promise.all([
    sample(enlarger, "--input", `${folder}/photos`, "--out", `${folder}/large/`),
    sample(rows, "--count", "5", "--condition", "customer=regular", "--out", `${folder}/r.json`),
    sample(captions, "--text", "thick red seven", "--count", "2", "--out", `${folder}/c.png`),
  ]);
  for (const { code, error } of written) assertEquals(code, 0, error);
  const large = await decodeImage(await Deno.readFile(`${folder}/large/b.png`), "b.png");
  assertEquals([large.width, large.height], [62, 24]);
  const json = JSON.parse(await Deno.readTextFile(`${folder}/r.json`));
  assertEquals(json.map((row: Record<string, unknown>) => row.customer), Array(5).fill("regular"));
  assert((await Deno.stat(`${folder}/c.png`)).isFile);

  const refused: [args: string[], message: string][] = [
    [[enlarger], "it makes images from images; give one, or a folder of them"],
    [[enlarger, "--input", `${folder}/none.png`], "there is no such image or folder"],
    [[rows, "--input", `${folder}/photos`], "with --input: that is for a model that makes images"],
    [[rows, "--condition", "custmer=regular", "--out", "x.csv"], "(did you mean customer?)"],
    [[captions, "--text", "thick rad seven"], 'does not know "rad" (did you mean red?)'],
  ];
  const results = await Promise.all(refused.map(([args]) => sample(...args)));
  for (const [index, { code, error }] of results.entries()) {
    assertEquals(code, 2, error);
    assertStringIncludes(error, refused[index][1]);
    const said = error.split("\n").filter((line) => line.startsWith("error"));
    assertEquals(said.length, 1, error);
  }
});
