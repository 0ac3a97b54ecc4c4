/** `deno task evaluate` as a user calls it. */
import { assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import { drawDigits } from "../../src/data/digits/draw_digits.ts";
import { affineGenerator } from "../evaluation/models.ts";
import { inFolder, runTask, TINY } from "./cli.ts";
import { assertRefuses, type Refusal } from "./refusals.ts";

const image = { name: "image" as const, shape: [1, 8, 8] };

/** A run without training: a generator of blends of digits, and broken ones. */
async function prepare(folder: string): Promise<void> {
  const run = `${folder}/runs/00000-digits-tiny`;
  await Deno.mkdir(run, { recursive: true });
  await Deno.writeTextFile(`${run}/config.json`, JSON.stringify(TINY));
  const digits = drawDigits({ count: 64, size: 8 }).batch(Uint32Array.of(1, 2, 3, 4)).values;
  const slopes = { dimension: 3, values: digits.slice(64).map((value) => 0.3 * value) };
  await Deno.writeFile(
    `${run}/generator.onnx`,
    affineGenerator(digits.slice(0, 64), image, slopes),
  );
  await Deno.mkdir(`${folder}/runs/00001-bare`);
  await Deno.writeTextFile(`${folder}/runs/00001-bare/config.json`, JSON.stringify(TINY));
  await Deno.writeTextFile(`${folder}/page.onnx`, "<!doctype html><title>404</title>");
  await Deno.writeTextFile(`${folder}/points.csv`, "1,2\n3,4\n");
}

const WRONG: [args: string, message: string][] = [
  [
    "",
    "Cannot evaluate runs/00001-bare: it has no generator.onnx; export it with deno task export",
  ],
  ["7", "Cannot find the run 7"],
  ["0 --cuont 5", "there is no option --cuont (did you mean --count?)"],
  ["0 --count 1", "--count is 1, expected a whole number from 2 to 1000000"],
  ["0 --count 8", "Cannot evaluate with 8 samples on one side"],
  ["0 --k 40", "the neighbor k = 40 need 82; raise --count, lower --k, or use more data"],
  ["0 --out figures.txt", "Cannot write figures.txt: expected a name that ends in .json"],
  ["0 --data nowhere", "nowhere"],
  [
    "0 --data ring-2d",
    "it makes images of 8 x 8 pixels, gray, and the data are points of 2 values",
  ],
  ["0 --features page.onnx", "page.onnx: it is a web page (HTML"],
  ["0 --features none.onnx", "Cannot take features from none.onnx: there is no such file"],
  ["page.onnx --data digits", "page.onnx: it is a web page (HTML"],
  [
    "runs/00000-digits-tiny/generator.onnx",
    "name the data that it was trained on with --data PATH",
  ],
];

Deno.test("deno task evaluate: a mistake gives one line, exit code 2 and no file", () =>
  inFolder(async (folder) => {
    await prepare(folder);
    const refusals = WRONG.map(([args, message]): Refusal => [
      args.split(" ").filter(Boolean),
      message,
    ]);
    await assertRefuses("evaluate", refusals, folder);
    const files = Array.from(Deno.readDirSync(`${folder}/runs/00000-digits-tiny`), (f) => f.name);
    assertEquals(files.sort(), ["config.json", "generator.onnx"]);
  }));

Deno.test("deno task evaluate prints a table, writes its files and ends with one JSON line", () =>
  inFolder(async (folder) => {
    await prepare(folder);
    const { code, stdout, stderr } = await runTask("evaluate", ["0", "--json"], folder);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, "random-conv-64, 64 features: an untrained convolutional network");
    assertMatch(stdout, /\n {2}Frechet distance +[\d.]+ +[\d.]+\n/);
    assertMatch(stdout, /\n {2}precision, k = 5 +[\d.]+ +[\d.]+\n/);
    assertMatch(stdout, /\n {2}different samples +64 of 64\n/);
    assertStringIncludes(stdout, "data: one half of the data against the other, 32 samples each");
    assertStringIncludes(
      stdout,
      "warning   the Frechet distance over random-conv-64 is taken from 64",
    );
    const evaluation = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
    const [json, image] = evaluation.files;
    assertEquals(json, "runs/00000-digits-tiny/evaluation.json");
    assertEquals(image, "runs/00000-digits-tiny/neighbors.png");
    assertGreater(evaluation.features[0].figures.generated.frechet, 0);
    delete evaluation.files;
    assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/${json}`)), evaluation);
    assertGreater((await Deno.stat(`${folder}/${image}`)).size, 100);
  }));
