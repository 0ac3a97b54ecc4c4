import { assert, assertEquals, assertRejects } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import { openDataSource } from "../../src/data/open.ts";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { UserError } from "../../src/errors.ts";
import { readBest, readChosenCheckpoint } from "../../src/run/best_checkpoint.ts";
import { checkpointSteps, readLatestCheckpoint } from "../../src/run/checkpoint.ts";
import { readEvaluations } from "../../src/run/evaluations.ts";
import { bestOf, type Evaluator } from "../../src/training/evaluations.ts";
import type { EvaluationLine } from "../../src/training/store.ts";
import { folderStore } from "../../src/run/folder_store.ts";
import { createRunFolder, openRunFolder, type RunFolder } from "../../src/run/run_folder.ts";
import { buildTrainingStep } from "../../src/training/step.ts";
import { train, type TrainingControl, type TrainingResult } from "../../src/training/train.ts";
import { TINY } from "../tiny_config.ts";

const config: RunConfig = {
  ...TINY,
  duration: { steps: 14 },
  checkpoints: { everySteps: 5, keep: 1 },
  evaluation: { everySteps: 3, measure: "jsd" },
};

/** Gives figures from a list, one a call, after `before` was given the call's number. */
function scripted(
  figures: readonly (number | null)[],
  before: (call: number, signal?: AbortSignal) => void = () => {},
  samples = 10,
): Evaluator & { calls: number } {
  return {
    measure: "jsd",
    samples,
    calls: 0,
    evaluate(_state, signal) {
      before(this.calls, signal);
      signal?.throwIfAborted();
      return Promise.resolve({ samples, measures: { jsd: figures[this.calls++] ?? 9 } });
    },
  };
}

interface Given {
  evaluator?: Evaluator;
  control?: TrainingControl;
  resumes?: boolean;
}

async function trainIn(
  folder: RunFolder,
  given: RunConfig,
  { evaluator, control, resumes }: Given = {},
): Promise<TrainingResult> {
  const data = await openDataSource(given.data);
  const trainingStep = buildTrainingStep(given, { shape: [...data.shape] });
  const engine = createEagerEngine("cpu", "test");
  const resume = resumes ? await readLatestCheckpoint(folder.checkpoints) : undefined;
  const setup = {
    config: given,
    data,
    engine,
    store: folderStore(folder),
    trainingStep,
    evaluator,
    resume,
  };
  return await train(setup, control);
}

async function inFolder(test: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** What of the lines does not depend on the clock. */
async function figures(folder: RunFolder): Promise<[number, number | null | undefined][]> {
  return (await readEvaluations(folder.evaluationsFile)).map(({ step, measures }) => [
    step,
    measures.jsd,
  ]);
}

Deno.test("train() measures at each period and at the end, and keeps the best beside the latest", () =>
  inFolder(async (root) => {
    using folder = await createRunFolder(root, config, "digits");
    const seen: [number, boolean][] = [];
    const result = await trainIn(folder, config, {
      evaluator: scripted([0.5, 0.2, 0.3, 0.2, 0.4]),
      control: { onEvaluation: ({ line, isBest }) => void seen.push([line.step, isBest]) },
    });
    assertEquals(seen, [[3, true], [6, true], [9, false], [12, false], [14, false]]);
    assertEquals(await figures(folder), [[3, 0.5], [6, 0.2], [9, 0.3], [12, 0.2], [14, 0.4]]);
    assertEquals(result.best, { step: 6, measure: "jsd", value: 0.2 });
    assertEquals(await readBest(folder.checkpoints), result.best);
    // keep: 1, and the best is not counted.
    assertEquals(await checkpointSteps(folder.checkpoints), [6, 14]);
    assertEquals((await readChosenCheckpoint(folder.checkpoints, "best")).step, 6);
    assertEquals((await readChosenCheckpoint(folder.checkpoints, 14)).step, 14);
    await assertRejects(
      () => readChosenCheckpoint(folder.checkpoints, 12),
      UserError,
      "Cannot find the checkpoint of step 12",
    );
  }));

Deno.test("train() gives the same bits with evaluations as without", () =>
  inFolder(async (root) => {
    using plain = await createRunFolder(root, config, "digits");
    const { evaluation: _, ...without } = config;
    const expected = await trainIn(plain, without);
    using folder = await createRunFolder(root, config, "digits");
    const found = await trainIn(folder, config, { evaluator: scripted([]) });
    assertEquals(found.state, expected.state);
    assertEquals(await readBest(plain.checkpoints), undefined);
    await assertRejects(
      () => readChosenCheckpoint(plain.checkpoints, "best"),
      UserError,
      "the run was not evaluated while it was trained",
    );
  }));

Deno.test("train() stopped in an evaluation does it after resuming, and no other twice", () =>
  inFolder(async (root) => {
    const whole = [0.5, 0.2, 0.3, 0.1, 0.4];
    const controller = new AbortController();
    const { signal } = controller;
    let path: string;
    {
      using folder = await createRunFolder(root, config, "digits");
      path = folder.path;
      const evaluator = scripted(whole, (call) => call === 2 && controller.abort());
      const stopped = await trainIn(folder, config, { evaluator, control: { signal } });
      assertEquals([stopped.step, stopped.interrupted], [9, true]);
      assertEquals(await figures(folder), [[3, 0.5], [6, 0.2]]);
    }
    using folder = await openRunFolder(path);
    const evaluator = scripted(whole.slice(2));
    const result = await trainIn(folder, config, { evaluator, resumes: true });
    assertEquals(evaluator.calls, 3);
    assertEquals(await figures(folder), [[3, 0.5], [6, 0.2], [9, 0.3], [12, 0.1], [14, 0.4]]);
    assertEquals(result.best?.step, 12);
    const again = scripted([]);
    const ended = await trainIn(folder, config, { evaluator: again, resumes: true });
    assertEquals(again.calls, 0);
    assertEquals(ended.best?.step, 12);
  }));

Deno.test("train() goes back over evaluations too, and finds the best again", () =>
  inFolder(async (root) => {
    using folder = await createRunFolder(root, config, "digits");
    await trainIn(folder, config, { evaluator: scripted([0.5, 0.2, 0.3, 0.2, 0.4]) });
    // A kill between the checkpoint of step 14 and what follows: a half line, no pointer.
    await Deno.writeTextFile(folder.evaluationsFile, '{"step":17,"mea', { append: true });
    await Deno.remove(`${folder.checkpoints}/best.json`);
    const longer: RunConfig = { ...config, duration: { steps: 16 } };
    const evaluator = scripted([0.01, 0.02]);
    const result = await trainIn(folder, longer, { evaluator, resumes: true });
    assertEquals(evaluator.calls, 2); // steps 15 and 16
    assertEquals((await figures(folder)).map(([step]) => step), [3, 6, 9, 12, 14, 15, 16]);
    assertEquals(result.best, { step: 15, measure: "jsd", value: 0.01 });
    assertEquals(await checkpointSteps(folder.checkpoints), [15, 16]);
  }));

Deno.test("train() chooses the best anew where a resumed run measures in another way", () =>
  inFolder(async (root) => {
    using folder = await createRunFolder(root, config, "digits");
    await trainIn(folder, config, { evaluator: scripted([0.5, 0.2, 0.3, 0.2, 0.1]) });
    const longer: RunConfig = { ...config, duration: { steps: 20 } };
    const evaluator = scripted([0.7, 0.8, 0.9], undefined, 20);
    const result = await trainIn(folder, longer, { evaluator, resumes: true });
    assertEquals(result.best, { step: 15, measure: "jsd", value: 0.7 }); // not 0.1 of fewer samples
  }));

Deno.test("train() of a finished run measures its last step again where that is another measuring", () =>
  inFolder(async (root) => {
    using folder = await createRunFolder(root, config, "digits");
    await trainIn(folder, config, { evaluator: scripted([0.5, 0.2, 0.3, 0.2, 0.1]) });
    const evaluator = scripted([0.7], undefined, 20);
    const result = await trainIn(folder, config, { evaluator, resumes: true });
    assertEquals(evaluator.calls, 1);
    assertEquals(result.best, { step: 14, measure: "jsd", value: 0.7 });
    assertEquals((await readChosenCheckpoint(folder.checkpoints, "best")).step, 14);
    assertEquals(await figures(folder), [[3, 0.5], [6, 0.2], [9, 0.3], [12, 0.2], [14, 0.7]]);
    // Nothing is measured any more: the last line says how, and figures of fewer samples are no match.
    const { evaluation: _, ...without } = config;
    assertEquals((await trainIn(folder, without, { resumes: true })).best, result.best);
  }));

Deno.test("train() does not compare figures of other data", () =>
  inFolder(async (root) => {
    using folder = await createRunFolder(root, config, "digits");
    await trainIn(folder, config, { evaluator: scripted([0.5, 0.2, 0.3, 0.2, 0.1]) });
    const other: RunConfig = {
      ...config,
      data: { source: "digits", count: 32, size: 8 },
      duration: { steps: 18 },
    };
    const result = await trainIn(folder, other, { evaluator: scripted([0.8, 0.7]), resumes: true });
    assertEquals(result.best, { step: 18, measure: "jsd", value: 0.7 });
    const lines = await readEvaluations(folder.evaluationsFile);
    const prints = await Promise.all(
      [config, other].map(async ({ data }) => (await openDataSource(data)).fingerprint),
    );
    assertEquals(
      lines.map(({ step, data }) => [step, prints.indexOf(data)]),
      [[3, 0], [6, 0], [9, 0], [12, 0], [14, 0], [15, 1], [18, 1]],
    );
  }));

Deno.test("train() keeps the best of earlier sessions where nothing is measured any more", () =>
  inFolder(async (root) => {
    using folder = await createRunFolder(root, config, "digits");
    await trainIn(folder, config, { evaluator: scripted([0.5, 0.2]) });
    const { evaluation: _, ...without } = config;
    const longer: RunConfig = { ...without, duration: { steps: 26 } };
    const result = await trainIn(folder, longer, { resumes: true });
    assertEquals(result.best?.step, 6);
    assertEquals(await checkpointSteps(folder.checkpoints), [6, 26]);
    // Also where the pointer is damaged: the lines say what the best was chosen by.
    await Deno.writeTextFile(`${folder.checkpoints}/best.json`, '{"step":6,"mea');
    const longest: RunConfig = { ...without, duration: { steps: 31 } };
    const last = await trainIn(folder, longest, { resumes: true });
    assertEquals(last.best, { step: 6, measure: "jsd", value: 0.2 });
    assertEquals(await readBest(folder.checkpoints), last.best);
    assertEquals(await checkpointSteps(folder.checkpoints), [6, 31]);
  }));

Deno.test("train() after a rollback has no evaluation of the steps that it does again", () =>
  inFolder(async (root) => {
    const wild: RunConfig = {
      ...config,
      divergence: { retries: 1, factor: 0.5 },
      checkpoints: { everySteps: 4, keep: 2 },
      evaluation: { everySteps: 3 },
    };
    using folder = await createRunFolder(root, wild, "digits");
    const data = await openDataSource(wild.data);
    const trainingStep = buildTrainingStep(wild, { shape: [...data.shape] });
    const engine = createEagerEngine("cpu", "test");
    // The values of the step after 10 steps are not finite, once.
    let poisoned = false;
    const poisoning = {
      ...engine,
      async compileStep(...args: Parameters<typeof engine.compileStep>) {
        const step = await engine.compileStep(...args);
        const run = step.run.bind(step);
        step.run = async (...given) => {
          const found = await run(...given);
          if (given[1] + given[0].length < 11 || poisoned) return found;
          poisoned = true;
          return { ...found, dLoss: found.dLoss.map(() => NaN) };
        };
        return step;
      },
    };
    const evaluator = scripted([0.5, 0.4, 0.1, 0.3, 0.6, 0.7]);
    const result = await train(
      {
        config: wild,
        data,
        engine: poisoning,
        store: folderStore(folder),
        trainingStep,
        evaluator,
      },
    );
    // Steps 3, 6 and 9 were measured, and each was the best and saved, so the run went back to 9.
    assert(poisoned);
    assertEquals(await figures(folder), [[3, 0.5], [6, 0.4], [9, 0.1], [12, 0.3], [14, 0.6]]);
    assertEquals(result.best?.step, 9);
  }));

Deno.test("bestOf() never takes a figure that is not finite, and the first of equals", () => {
  const line = (step: number, jsd: number | null): EvaluationLine => ({
    step,
    images: step,
    samples: 1,
    seconds: 0,
    data: "",
    measures: { jsd, "modes": jsd },
  });
  const lines = [line(1, null), line(2, 3), line(3, 3), line(4, 1), line(5, null)];
  assertEquals(bestOf(lines, "jsd")?.step, 4);
  assertEquals(bestOf(lines, "modes"), { step: 2, measure: "modes", value: 3 });
  assertEquals(bestOf(lines, "kl"), undefined);
});

Deno.test("train() has saved its last step when the evaluation there fails", () =>
  inFolder(async (root) => {
    using folder = await createRunFolder(root, config, "digits");
    const evaluator = scripted([0.5, 0.2, 0.3, 0.4], (call) => {
      if (call === 4) throw new Error("no memory to measure in");
    });
    await assertRejects(
      () => trainIn(folder, config, { evaluator }),
      Error,
      "no memory to measure in",
    );
    assertEquals((await readLatestCheckpoint(folder.checkpoints)).step, 14);
    // What is missing is measured when the run is resumed.
    const again = await trainIn(folder, config, { evaluator: scripted([0.1]), resumes: true });
    assertEquals(again.best, { step: 14, measure: "jsd", value: 0.1 });
  }));

Deno.test("train() saves the steps that it did when an evaluation in mid-run fails", () =>
  inFolder(async (root) => {
    using folder = await createRunFolder(root, config, "digits");
    const evaluator = scripted([0.5, 0.2, 0.3], (call) => {
      if (call === 3) throw new Error("no memory to measure in");
    });
    await assertRejects(
      () => trainIn(folder, config, { evaluator }),
      Error,
      "no memory to measure in",
    );
    // Of the steps 5, 10 and 12 the last is that of the evaluation.
    assertEquals((await readLatestCheckpoint(folder.checkpoints)).step, 12);
    assertEquals(await checkpointSteps(folder.checkpoints), [6, 12]);
    const again = scripted([0.1, 0.4]);
    const result = await trainIn(folder, config, { evaluator: again, resumes: true });
    assertEquals(again.calls, 2);
    assertEquals(result.best, { step: 12, measure: "jsd", value: 0.1 });
  }));
