/** The library as a program uses it: its own arrays, callbacks, with and without a run folder. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  evaluate,
  exportRun,
  imageData,
  openData,
  resumeRun,
  type RunConfig,
  Sampler,
  tensorData,
  type TrainingProgress,
  trainRun,
  UserError,
} from "../../mod.ts";
import { TINY } from "../tiny_config.ts";

const COUNT = 64;
/** 8 x 8 gray squares, whose brightness is their label's. */
const pixels = Uint8Array.from({ length: COUNT * 64 }, (_, i) => (Math.floor(i / 64) % 4) * 80);
const labels = Array.from({ length: COUNT }, (_, i) => i % 4);

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

Deno.test("trainRun() trains on a program's arrays in memory, and writes no file", async () => {
  const data = imageData(pixels, { shape: [8, 8, 1], labels, name: "squares" });
  const progress: TrainingProgress[] = [];
  const calls: string[] = [];
  await using run = await trainRun(TINY, {
    data,
    onProgress: (at) => void progress.push(at),
    onEngine: () => void calls.push("engine"),
    onStart: ({ folder, step, totalSteps }) => void calls.push(`${folder} ${step} ${totalSteps}`),
  });
  assertEquals([run.folder, run.result.step, run.result.interrupted], [undefined, 12, false]);
  assertEquals(calls, ["engine", "undefined 0 12"]);
  assertEquals(progress.at(-1)?.step, 12);
  assertEquals(run.config.data, { source: "memory" });

  const images = await run.sample({ count: 16, seed: 7 });
  assertEquals([images.length, images[0].seed], [16, 7]);
  const again = await run.sample({ count: 1, seed: 7 });
  assertEquals(again[0].values, images[0].values);
  await assertRejects(() => run.export(), UserError, "it is in memory, so name the file");
  await assertRejects(() => run.finish(), UserError, "report.md needs a run folder");
  const figures = await run.evaluate({ count: 40 });
  assertEquals([figures.samples.count, figures.data.name], [40, "squares"]);
  assertEquals(figures.model.step, 12);
});

Deno.test("trainRun() without a folder gives the bits of one with a folder", () =>
  inFolder(async (runsFolder) => {
    const data = imageData(pixels, { shape: [8, 8, 1] });
    await using inMemory = await trainRun(TINY, { data });
    await using onDisk = await trainRun(TINY, { data, runsFolder });
    assertEquals(inMemory.result.state, onDisk.result.state);
    assertEquals(onDisk.folder, `${runsFolder}/00000-data-tiny`);
    const names = await namesIn(onDisk.folder!);
    for (const name of ["config.json", "checkpoints", "metrics.jsonl", "samples.gif"]) {
      assert(names.includes(name), `${name} of ${names}`);
    }
  }));

Deno.test("the architecture page's program runs: train, sample, export, evaluate", () =>
  inFolder(async (runsFolder) => {
    const { signal } = new AbortController();
    let steps = 0;
    const onProgress = ({ step }: TrainingProgress) => {
      steps = step;
    };
    const data = imageData(pixels, { shape: [8, 8, 1], labels });
    await using run = await trainRun({ ...TINY, duration: { steps: 10 } }, {
      data,
      runsFolder,
      signal,
      onProgress,
    });
    const images = await run.sample({ count: 16, seed: 7 });
    const out = `${runsFolder}/generator.onnx`;
    const exported = await run.export({ dtype: "fp16", out });
    const figures = await run.evaluate();
    assertEquals([steps, images.length, exported.path, exported.dtype], [10, 16, out, "fp16"]);
    assertEquals(figures.data.count, COUNT);
    await using sampler = await Sampler.load(out, { device: "wasm", selfTest: true });
    assertEquals(sampler.info.classNames, null);
    // The file that it writes by default gives the run's samples to the bit.
    const { path } = await run.export();
    await using same = await Sampler.load(path, { device: "wasm" });
    assertEquals((await same.sample({ count: 1, seed: 7 }))[0].values, images[0].values);
  }));

Deno.test("resumeRun() continues where a signal stopped trainRun(), to the same bits", () =>
  inFolder(async (runsFolder) => {
    const data = imageData(pixels, { shape: [8, 8, 1] });
    await using whole = await trainRun(TINY, { data });
    const controller = new AbortController();
    {
      await using run = await trainRun(TINY, {
        data,
        runsFolder,
        signal: controller.signal,
        onProgress: ({ step }) => step >= 4 && controller.abort(),
      });
      assertEquals(run.result.interrupted, true);
      assert(run.result.step < 12);
    }
    await assertRejects(
      () => resumeRun("latest", { runsFolder }),
      UserError,
      "they were arrays in a program's memory; give them again as `data`",
    );
    await using resumed = await resumeRun("latest", { runsFolder, data });
    assertEquals(resumed.result.state, whole.result.state);
    const finished = await resumed.finish();
    assertEquals(finished.report.path, `${resumed.folder}/report.md`);

    const figures = await evaluate("latest", { runsFolder, data, count: 30 });
    assertEquals(figures.samples.count, 30);
    assert(!(await namesIn(resumed.folder!)).includes("evaluation.json"));
    const { step } = await exportRun("0", { runsFolder, out: `${runsFolder}/again.onnx` });
    assertEquals(step, 12);
  }));

Deno.test("trainRun() exports the best of a run in memory", () =>
  inFolder(async (folder) => {
    const config: RunConfig = { ...TINY, evaluation: { everySteps: 4, samples: 20 } };
    const seen: number[] = [];
    await using run = await trainRun(config, {
      data: imageData(pixels, { shape: [8, 8, 1] }),
      onEvaluation: ({ line }) => void seen.push(line.step),
    });
    assertEquals(seen, [4, 8, 12]);
    const exported = await run.export({ checkpoint: "best", out: `${folder}/best.onnx` });
    assertEquals(exported.step, run.result.best?.step);
    await assertRejects(
      () => run.export({ checkpoint: 3, out: `${folder}/three.onnx` }),
      UserError,
      "Cannot find the checkpoint of step 3 of this run",
    );
  }));

Deno.test("trainRun() takes vectors, opened data, and a preset with what differs from it", async () => {
  const small = { duration: { steps: 2 }, device: "cpu" };
  const values = Float32Array.from({ length: 2000 }, (_, i) => Math.sin(i));
  await using vectors = await trainRun({ preset: "ring-2d", ...small }, {
    data: tensorData(values, { shape: [2], name: "sines" }),
  });
  assertEquals([vectors.data.kind, vectors.data.count], ["points", 1000]);
  const samples = await vectors.sample({ count: 3 });
  assertEquals(samples[0].values.length, 2);

  const spec = { source: "ring-2d", count: 600 } as const;
  await using opened = await trainRun({ preset: "ring-2d", ...small }, {
    data: await openData(spec),
  });
  assertEquals(opened.config.data, spec);
  await using own = await trainRun({ preset: "ring-2d", ...small, data: { count: 700 } });
  assertEquals(own.data.count, 700);
});

Deno.test("trainRun() refuses what plain JavaScript may give, in one line each", async () => {
  const config: unknown = TINY;
  const data = imageData(pixels, { shape: [8, 8, 1] });
  // What no type check sees.
  const call = (given: unknown, options: unknown) =>
    trainRun(given as RunConfig, options as Parameters<typeof trainRun>[1]);
  const cases: [given: unknown, options: unknown, message: string][] = [
    [undefined, { data }, "a config is an object of options"],
    [{ ...TINY, batchSize: "4", seed: -1 }, { data }, "batchSize"],
    [{ ...TINY, batchSize: "4", seed: -1 }, { data }, "seed"],
    [{ preset: "nothing" }, { data }, "Cannot find the preset nothing"],
    [config, { dat: data }, "there is no option dat (did you mean data?)"],
    [config, { data: pixels }, "data is no data source; make one with imageData()"],
    [config, { data, onProgress: "log" }, "onProgress is of type string, expected a function"],
    [config, { data, signal: {} }, "signal is no AbortSignal"],
    [config, { data, runsFolder: 7 }, "runsFolder is 7, expected a folder's path"],
    [config, null, "the options are null, expected an object"],
    [config, { data: imageData(pixels, { shape: [4, 4, 1] }) }, "one sample is [4, 4, 1]"],
    [{ ...TINY, data: { source: "memory" } }, {}, "give them again as `data`"],
  ];
  for (const [given, options, message] of cases) {
    const error = await assertRejects(() => call(given, options), UserError, message);
    assert(!error.message.includes("\n"), error.message);
  }
});
