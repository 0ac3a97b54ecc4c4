/** Measuring while training, as a user does it: the figures, the best checkpoint, and its export. */
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import { readBest } from "../../src/run/best_checkpoint.ts";
import { readEvaluations } from "../../src/run/evaluations.ts";
import { readMetrics } from "../../src/run/metrics_log.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { inFolder, kill, runTask, startTask, TINY, waitFor, writeConfig } from "./cli.ts";

const config: RunConfig = { ...TINY, checkpoints: { keep: 1 } };

async function exportedStep(file: string): Promise<number | null | undefined> {
  await using sampler = await Sampler.load(file, { device: "wasm" });
  return sampler.info.manifest?.step;
}

Deno.test("deno task train --evaluate-every keeps the best checkpoint, and exports it where asked", () =>
  inFolder(async (folder) => {
    await writeConfig(folder, config);
    const train = async (...args: string[]) => {
      const run = await runTask("train", ["tiny.json", ...args, "--json"], folder);
      assertEquals(run.code, 0, run.stderr);
      return run.stdout;
    };
    const asked = ["--evaluate-every", "5", "--set", "evaluation.samples=64"];
    const features = ["--set", "evaluation.measure=frechet"];
    const stdout = await train(...asked, ...features, "--export", "best");
    const run = `${folder}/runs/00000-digits-tiny`;
    assertStringIncludes(
      stdout,
      "measures  64 samples each 5 steps, features: random; the best by Frechet distance is kept",
    );
    const lines = await readEvaluations(`${run}/evaluations.jsonl`);
    assertEquals(lines.map(({ step }) => step), [5, 10, 12]);
    const best = await readBest(`${run}/checkpoints`);
    const smallest = Math.min(...lines.map(({ measures }) => measures.frechet!));
    assertEquals(best?.value, smallest);
    for (const line of lines) {
      assertStringIncludes(stdout, `measured  step ${line.step}: Frechet distance `);
    }
    assertStringIncludes(stdout, `best      step ${best!.step}, Frechet distance `);
    assertEquals(await exportedStep(`${run}/generator.onnx`), best!.step);
    const report = await Deno.readTextFile(`${run}/report.md`);
    assertStringIncludes(report, "## Measures during training");
    assertStringIncludes(report, "features by random-conv-64");
    assert((await Deno.stat(`${run}/evaluations.png`)).size > 1000);

    const again = await runTask("export", ["0", "--out", "again.onnx"], folder);
    assertEquals(again.code, 0, again.stderr);
    assertEquals(await exportedStep(`${folder}/again.onnx`), best!.step); // as the run's config says
    // The last state's figure is the one that deno task evaluate finds for its file.
    const last = await runTask("export", ["0", "--checkpoint", "last"], folder);
    assertEquals(last.code, 0, last.stderr);
    assertStringIncludes(last.stdout, "after step 12,");
    const measured = await runTask("evaluate", ["0", "--count", "64"], folder);
    assertEquals(measured.code, 0, measured.stderr);
    const evaluation = JSON.parse(await Deno.readTextFile(`${run}/evaluation.json`));
    const { frechet, kernel } = evaluation.features[0].figures.generated;
    assertEquals(evaluation.features[0].extractor, "random-conv-64");
    const { measures } = lines[2];
    assertAlmostEquals(frechet, measures.frechet!, 1e-3 * frechet);
    assertAlmostEquals(kernel.mean, measures.kernel!, 1e-3 * Math.abs(kernel.mean));
    assertAlmostEquals(evaluation.sliced.figures.generated, measures.sliced!, 1e-4);

    // Measuring changed no bit of the training.
    await train("--out", "plain");
    const scalars = async (path: string) =>
      (await readMetrics(path)).map(({ wallS: _, stepMs: __, ...rest }) => rest);
    assertEquals(
      await scalars(`${run}/metrics.jsonl`),
      await scalars(`${folder}/plain/00000-digits-tiny/metrics.jsonl`),
    );
  }));

Deno.test("deno task export takes the best, the last or a step, and refuses others in one line", () =>
  inFolder(async (folder) => {
    await writeConfig(folder, { ...config, checkpoints: { everySteps: 4, keep: 3 } });
    assertEquals((await runTask("train", ["tiny.json"], folder)).code, 0);
    const eight = await runTask("export", ["0", "--checkpoint", "8", "--out", "e.onnx"], folder);
    assertEquals(eight.code, 0, eight.stderr);
    assertEquals(await exportedStep(`${folder}/e.onnx`), 8);
    const refusals: [string, string][] = [
      ["best", "the run was not evaluated while it was trained; take the last one, or train with"],
      ["5", "Cannot find the checkpoint of step 5 in runs/00000-digits-tiny/checkpoints: it has"],
      ["frist", "Cannot export the checkpoint frist: expected best, last or a step's number"],
    ];
    for (const [choice, message] of refusals) {
      const { code, stderr } = await runTask("export", ["0", "--checkpoint", choice], folder);
      assertEquals(code, 2);
      assertStringIncludes(stderr, message);
      assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    }
    const { code, stderr } = await runTask("train", ["tiny.json", "--export", "best"], folder);
    assertEquals([code, stderr.includes("nothing is measured in this run; add")], [2, true]);
    const wrong = ["--evaluate-every", "2", "--set", "evaluation.features=none.onnx"];
    const missing = await runTask("train", ["tiny.json", ...wrong], folder);
    assertEquals(missing.code, 2, missing.stdout);
    assertStringIncludes(missing.stderr, "none.onnx");
    const runs = await Array.fromAsync(Deno.readDir(`${folder}/runs`), ({ name }) => name);
    assertEquals(runs, ["00000-digits-tiny"]); // a refusal leaves nothing behind
  }));

Deno.test("a resumed run that measures in another way reports what compares, and where it went on", () =>
  inFolder(async (folder) => {
    await writeConfig(folder, config);
    const asked = ["--evaluate-every", "5", "--set", "evaluation.samples=32"];
    const first = await runTask("train", ["tiny.json", ...asked], folder);
    assertEquals(first.code, 0, first.stderr);
    const run = `${folder}/runs/00000-digits-tiny`;
    const report = async () => await Deno.readTextFile(`${run}/report.md`);
    assertStringIncludes(await report(), "3 evaluations of 32 samples each");
    assert(!(await report()).includes("Went on") && !(await report()).includes("left out"));
    const resume = ["--resume", "0", "--steps", "17", "--set", "evaluation.samples=48"];
    const { code, stderr } = await runTask("train", resume, folder);
    assertEquals(code, 0, stderr);
    assertStringIncludes(await report(), "> Went on from step 12.");
    assertStringIncludes(await report(), "2 evaluations of 48 samples each"); // of steps 15 and 17
    assertStringIncludes(await report(), "3 more were made of other samples");
    const best = await readBest(`${run}/checkpoints`);
    assert(best && best.step > 12, JSON.stringify(best));
  }));

Deno.test("Ctrl-C in an evaluation stops it; the resumed run measures what the whole one does", () =>
  inFolder(async (folder) => {
    const measuring: RunConfig = {
      ...config,
      evaluation: { everySteps: 1, samples: 1500 }, // more measuring than training
      snapshots: { rows: 1, columns: 1, everySteps: 100 },
    };
    await writeConfig(folder, measuring);
    const whole = await runTask("train", ["tiny.json", "--out", "whole"], folder);
    assertEquals(whole.code, 0, whole.stderr);
    const child = await startTask("train", ["tiny.json"], folder);
    const file = `${folder}/runs/00000-digits-tiny/evaluations.jsonl`;
    await waitFor(async () => (await readEvaluations(file)).length >= 4, child);
    kill(child, "SIGINT");
    const { code, stderr } = await child.output();
    assertEquals(code, 130, new TextDecoder().decode(stderr));
    const resumed = await runTask("train", ["--resume", "latest"], folder);
    assertEquals(resumed.code, 0, resumed.stderr);
    const figures = async (path: string) =>
      (await readEvaluations(path)).map(({ seconds: _, ...rest }) => rest);
    const found = await figures(file);
    assertEquals(found, await figures(`${folder}/whole/00000-digits-tiny/evaluations.jsonl`));
    assertEquals(found.map(({ step }) => step), Array.from({ length: 12 }, (_, i) => i + 1));
    const best = (run: string) => readBest(`${folder}/${run}/00000-digits-tiny/checkpoints`);
    assertEquals(await best("runs"), await best("whole"));
  }));

Deno.test("a run that is killed again and again has each evaluation once, and the same best", () =>
  inFolder(async (folder) => {
    const measuring: RunConfig = {
      ...config,
      duration: { steps: 36 },
      checkpoints: { everySteps: 2, keep: 2 },
      evaluation: { everySteps: 3, samples: 200 },
      snapshots: { rows: 1, columns: 1, everySteps: 100 },
    };
    await writeConfig(folder, measuring);
    const whole = await runTask("train", ["tiny.json", "--out", "whole"], folder);
    assertEquals(whole.code, 0, whole.stderr);
    const run = `${folder}/runs/00000-digits-tiny`;
    const lines = async (path: string) =>
      (await readEvaluations(`${path}/evaluations.jsonl`)).map(({ seconds: _, ...rest }) => rest);
    let kills = 0;
    for (let i = 0; i < 3; i++) {
      const args = i === 0 ? ["tiny.json"] : ["--resume", "latest"];
      const child = await startTask("train", args, folder);
      const before = (await lines(run)).length;
      await waitFor(async () => (await lines(run)).length >= before + 2, child);
      kill(child, "SIGKILL");
      if (!(await child.output()).success) kills++;
    }
    assert(kills > 0, "the run was done before it could be killed");
    const last = await runTask("train", ["--resume", "latest"], folder);
    assertEquals(last.code, 0, last.stderr);
    const expected = `${folder}/whole/00000-digits-tiny`;
    assertEquals(await lines(run), await lines(expected));
    assertEquals((await lines(run)).length, 12);
    assertEquals(await readBest(`${run}/checkpoints`), await readBest(`${expected}/checkpoints`));
    const exported = await runTask("export", ["latest", "--checkpoint", "best"], folder);
    assertEquals(exported.code, 0, exported.stderr);
  }));
