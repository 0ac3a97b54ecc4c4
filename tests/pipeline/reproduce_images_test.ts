/** Quality over minutes: what is trained, interrupted, drawn, measured and written. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { openDataSource } from "../../src/data/open.ts";
import { UserError } from "../../src/errors.ts";
import {
  type ImagesPlan,
  reproduceImages,
} from "../../src/pipeline/images_by_minutes/reproduce_images.ts";
import {
  checkPytorch,
  type PytorchRun,
  trainTutorialInPytorch,
} from "../../src/pipeline/images_by_minutes/pytorch_run.ts";
import { readMarks, writeImagesNpy } from "../../src/pipeline/images_by_minutes/sample_sets.ts";
import { fillUniform } from "../../src/random/counter_random.ts";
import { TINY } from "../tiny_config.ts";

const PYTHON = "/usr/bin/python3";
const peer = await checkPytorch(PYTHON).catch((error: UserError) => error.message);
const peerIsThere = peer.startsWith("PyTorch");

async function inFolder(test: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const digits = await openDataSource({ source: "digits", count: 200, size: 8 });
const { snapshots: _, ...tiny } = TINY;
const plan: ImagesPlan = {
  data: digits,
  recipes: [
    { recipe: "tutorial", config: { ...tiny, snapshots: { rows: 2, columns: 2 } } },
    { recipe: "best", config: { ...tiny, batchSize: 8, snapshots: { rows: 2, columns: 2 } } },
  ],
  seeds: 1,
  minutes: 0.01,
  marks: 2,
  samples: 150,
};

Deno.test("reproduceImages() goes on where it was interrupted, trains nothing twice, and measures files", () =>
  inFolder(async (runsFolder) => {
    const controller = new AbortController();
    let total = 0;
    const first = await reproduceImages(plan, {
      runsFolder,
      signal: controller.signal,
      onRun: ({ recipe }) => ({
        onStart: ({ totalSteps }) => void (total = totalSteps),
        onProgress: ({ step }) =>
          void (recipe === "best" && total < 1_000_000 && step > 1 && controller.abort()),
      }),
    });
    assertEquals(first.figures, undefined);

    const runs: unknown[] = [];
    const second = await reproduceImages(plan, {
      runsFolder,
      onRun: ({ recipe, seed, done }) => {
        runs.push([recipe, seed, done]);
        return { onStart: ({ step }) => void runs.push(["on from the start", step === 0]) };
      },
    });
    assertEquals(runs, [
      ["tutorial", 0, true],
      ["best", 0, false],
      ["on from the start", false],
    ]);
    const { extractors, measured, remark } = second.figures!;
    assertEquals(extractors.length, 2);
    assertStringIncludes(extractors[0], "features.onnx (sha256 ");
    assertStringIncludes(remark, "is right on ");
    assertEquals(measured.map(({ recipe }) => recipe), ["tutorial", "tutorial", "best", "best"]);
    for (const { figures, seconds, steps } of measured) {
      assert(seconds > 0 && steps > 0);
      assert(figures.every(({ frechet }) => frechet > 0));
    }
    const files = await Array.fromAsync(Deno.readDir(second.folder), ({ name }) => name);
    for (const name of ["quality.md", "quality.png", "tutorial.png", "best.png", "pixels.npy"]) {
      assert(files.includes(name), name);
    }
    assertEquals(await Deno.readTextFile(`${second.folder}/quality.md`), `${second.text}\n`);
    assertStringIncludes(second.text!, "| few-images, ganforge | 1 |");

    const third = await reproduceImages(plan, { runsFolder });
    assertEquals(third.figures, second.figures);
  }));

Deno.test("reproduceImages() refuses points and too few images", async () => {
  const points = await openDataSource({ source: "ring-2d", count: 100 });
  const few = await openDataSource({ source: "digits", count: 16, size: 8 });
  for (
    const [data, message] of [
      [points, "it takes images of 8 bits in memory, and these are points"],
      [few, "it has 16 images, and distances over features take 128; give more with --data"],
    ] as const
  ) {
    const error = await assertRejects(() => reproduceImages({ ...plan, data }), UserError);
    assertStringIncludes(error.message, message);
  }
});

Deno.test("readMarks() refuses a damaged file", () =>
  inFolder(async (root) => {
    await Deno.writeTextFile(`${root}/marks.jsonl`, '{"file":"../x","seconds":1}\n');
    const error = await assertRejects(() => readMarks(root), UserError);
    assertStringIncludes(error.message, "line 1 is no mark of a run");
  }));

Deno.test("checkPytorch() refuses a Python that is not there, in one line", async () => {
  const error = await assertRejects(() => checkPytorch("/no/python"), UserError);
  assertEquals(
    error.message,
    "Cannot run the tutorial in PyTorch with /no/python: there is no such program; name a Python that " +
      "has torch and numpy with --python, or leave the recipe out with --recipes tutorial,best",
  );
});

Deno.test({
  name: `trainTutorialInPytorch() can be stopped and goes on${
    peerIsThere ? "" : ` (ignored: ${peer})`
  }`,
  ignore: !peerIsThere,
  fn: () =>
    inFolder(async (root) => {
      const pixels = `${root}/pixels.npy`;
      const shape = [160, 6, 6, 3];
      const values = fillUniform(new Float32Array(160 * 6 * 6 * 3), {
        seed: 1,
        stream: 0,
        step: 0,
      });
      await writeImagesNpy(pixels, { shape, data: Uint8Array.from(values, (x) => 256 * x) });
      // A slow machine may pass a mark with each step, and the signal comes when a step or two are over: so
      // there are many marks, and the first stop leaves some.
      const run: PytorchRun = {
        python: PYTHON,
        pixels,
        folder: `${root}/run`,
        minutes: 0.06,
        marks: 12,
        samples: 130,
        seed: 3,
      };
      const controller = new AbortController();
      const stopped = await trainTutorialInPytorch({
        ...run,
        signal: controller.signal,
        onLine: (line) => void (line.startsWith("mark 1 ") && controller.abort()),
      });
      assertEquals(stopped, false);
      const before = await readMarks(run.folder);
      const [first] = before;
      assert(before.length >= 1 && before.length < run.marks, `${before.length} marks`);
      assert(first.seconds >= 0.3 && first.images > 128 * (first.steps / 2));

      assert(await trainTutorialInPytorch(run));
      const marks = await readMarks(run.folder);
      assertEquals(marks.slice(0, before.length), before);
      assertEquals(marks.length, run.marks);
      const last = marks.at(-1)!;
      assert(last.steps >= before.at(-1)!.steps && last.seconds >= 3.6);
      const samples = await openDataSource({
        source: "auto",
        path: `${run.folder}/samples-012.npy`,
      });
      assertEquals([samples.count, ...samples.shape], [130, 6, 6, 3]);
      assert(new Set(samples.pixels!).size > 10);
    }),
});
