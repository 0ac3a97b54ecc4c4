/** `deno task evaluate` with files of other programs: what `--label` and the assumptions change. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import type { OnnxNode } from "../../src/graph/onnx_graph.ts";
import { evaluate } from "../../src/pipeline/evaluate_run.ts";
import { encodePng } from "../../src/raster/png.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { model, tableGenerator, weight } from "../evaluation/models.ts";
import { inFolder, runTask } from "./cli.ts";
import { assertRefuses, type Refusal } from "./refusals.ts";

const SIZE = 8, PIXELS = SIZE * SIZE, PER_CLASS = 16;

/** Noise around an image whose upper (class 0) or lower half (class 1) is bright. `[0, 1]` */
function imageOf(label: number, index: number): Float32Array {
  const noise = fillNormal(new Float32Array(PIXELS), { seed: label, stream: 9, step: index });
  return noise.map((value, pixel) => {
    const isBright = (pixel < PIXELS / 2) === (label === 0);
    return Math.min(1, Math.max(0, (isBright ? 0.8 : 0.2) + 0.05 * value));
  });
}

/** A folder of images for each class. */
async function writeData(folder: string): Promise<void> {
  for (const label of [0, 1]) {
    await Deno.mkdir(`${folder}/data/${label}`, { recursive: true });
    for (let index = 0; index < PER_CLASS; index++) {
      const data = Uint8ClampedArray.from(imageOf(label, index), (value) => value * 255);
      const png = await encodePng({ width: SIZE, height: SIZE, channels: 1, data });
      await Deno.writeFile(`${folder}/data/${label}/${index}.png`, png);
    }
  }
}

/** As another program writes it: a one-hot label, flat images in [0, 1], no manifest. */
function foreignGenerator(): Uint8Array<ArrayBuffer> {
  const node = (op: string, inputs: string[], output: string): OnnxNode => ({
    op,
    inputs,
    outputs: [output],
  });
  const rows = new Float32Array([...imageOf(0, 100), ...imageOf(1, 100)]);
  return model({
    inputs: [
      { name: "noise", dtype: "float32", dims: ["N", 1] },
      { name: "class", dtype: "float32", dims: ["N", 2] },
    ],
    outputs: [{ name: "pixels", dtype: "float32", dims: ["N", PIXELS] }],
    initializers: [
      weight("rows", rows, [2, PIXELS]),
      weight("slopes", new Float32Array(PIXELS), [1, PIXELS]),
    ],
    nodes: [
      node("MatMul", ["class", "rows"], "mean"),
      node("MatMul", ["noise", "slopes"], "change"),
      node("Add", ["mean", "change"], "pixels"),
    ],
  });
}

/** The same generator in a file of ours. */
function ownGenerator(): Uint8Array<ArrayBuffer> {
  const rows = new Float32Array([...imageOf(0, 100), ...imageOf(1, 100)]);
  const output = { name: "image" as const, shape: [1, SIZE, SIZE] };
  return tableGenerator(rows.map((value) => 2 * value - 1), output, ["0", "1"]);
}

const TOLD = "--shape 8,8,1 --layout nhwc --range 0,1 --label-input one-hot --latent noise";

const argsOf = (options: string) =>
  `foreign.onnx --data data --cache none --json ${options}`.trim().split(" ");

Deno.test("deno task evaluate measures another program's file as it does the same file of ours", () =>
  inFolder(async (folder) => {
    await writeData(folder);
    await Deno.writeFile(`${folder}/foreign.onnx`, foreignGenerator());
    await Deno.writeFile(`${folder}/own.onnx`, ownGenerator());
    const run = async (options: string) => {
      const { code, stdout, stderr } = await runTask("evaluate", argsOf(options), folder);
      return {
        code,
        stderr,
        evaluation: code === 0 ? JSON.parse(stdout.trim().split("\n").at(-1)!) : null,
      };
    };
    for (
      const [options, label, from, distinct] of [
        [TOLD, undefined, "the data's", 2],
        [`${TOLD} --label 1`, 1, "the one asked for", 1],
      ] as const
    ) {
      const { code, stderr, evaluation } = await run(options);
      assertEquals(code, 0, stderr);
      assertEquals([evaluation.samples.labels, evaluation.samples.distinct], [from, distinct]);
      assertEquals(evaluation.warnings.filter((line: string) => line.includes("assume")), []);
      const own = await evaluate(`${folder}/own.onnx`, {
        data: `${folder}/data`,
        cacheFolder: null,
        label,
      });
      const frechet = evaluation.features[0].figures.generated.frechet;
      const wanted = own.features[0].figures.generated.frechet!;
      assert(Math.abs(frechet - wanted) < 1e-3 * wanted, `${frechet}, and ${wanted} of our file`);
    }
    // Without the range, gray is taken for black: the same file measures much worse.
    const right = (await run(TOLD)).evaluation.features[0].figures.generated.frechet;
    const unranged = await run(TOLD.replace("--range 0,1 ", ""));
    assertGreater(unranged.evaluation.features[0].figures.generated.frechet, 2 * right);
    const refusals = [
      ["--shape 8,8,1", "one-hot label"],
      [`${TOLD} --label 7`, "Cannot use label 7"],
      [`${TOLD} --label square`, "square"],
      [TOLD.replace("8,8,1", "9,9,1"), "assume.shape is [9, 9, 1]"],
      [TOLD.replace("--latent noise", "--latent sound"), "sound"],
    ].map(([options, message]): Refusal => [argsOf(options), message]);
    await assertRefuses("evaluate", refusals, folder);
  }));
