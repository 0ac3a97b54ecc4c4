import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { openDataSource } from "../../src/data/open.ts";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import type { Engine } from "../../src/engine/types.ts";
import { TrainingDivergedError, UserError } from "../../src/errors.ts";
import { readLatestCheckpoint } from "../../src/run/checkpoint.ts";
import { DivergenceGuard, scalarFault } from "../../src/training/divergence.ts";
import { readMetrics } from "../../src/run/metrics_log.ts";
import { folderStore } from "../../src/run/folder_store.ts";
import { createRunFolder, type RunFolder } from "../../src/run/run_folder.ts";
import { buildTrainingStep } from "../../src/training/step.ts";
import { train, type TrainingControl, type TrainingResult } from "../../src/training/train.ts";

const config: RunConfig = {
  ...presetConfig("ring-2d"),
  data: { source: "ring-2d", count: 64 },
  duration: { steps: 12 },
  batchSize: 4,
  generator: { inputShape: [2], init: "torch", layers: [{ type: "dense", units: 2 }] },
  discriminator: { inputShape: [2], init: "torch", layers: [{ type: "dense", units: 1 }] },
  generatorOptimizer: { type: "sgd", learningRate: 0.1 },
  discriminatorOptimizer: { type: "sgd", learningRate: 0.1 },
  snapshots: { rows: 1, columns: 1 },
  checkpoints: { everySteps: 5, keep: 2 },
  divergence: { retries: 2, factor: 0.5 },
};

/** An engine whose loss is NaN in the step after `step` others, while G's learning rate is above `rate`. */
function faultyEngine(step: number, rate: number): Engine {
  const engine = createEagerEngine("cpu", "test");
  return {
    name: engine.name,
    description: engine.description,
    compileFunction: engine.compileFunction.bind(engine),
    dispose: () => engine.dispose(),
    async compileStep(...given) {
      const compiled = await engine.compileStep(...given);
      return {
        readState: () => compiled.readState(),
        writeState: (state) => compiled.writeState(state),
        dispose: () => compiled.dispose(),
        async run(batches, firstStep) {
          const scalars = await compiled.run(batches, firstStep);
          const bad = step - firstStep;
          if (batches[bad]?.generatorHyper[0] > rate) scalars.dLoss[bad] = NaN;
          return scalars;
        },
      };
    },
  };
}

async function inRun(test: (folder: RunFolder) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    using folder = await createRunFolder(root, config, "ring");
    await test(folder);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function trainIn(
  folder: RunFolder,
  { engine, given = config, control, resumes = false }: {
    engine: Engine;
    given?: RunConfig;
    control?: TrainingControl;
    resumes?: boolean;
  },
): Promise<TrainingResult> {
  const data = await openDataSource(given.data);
  const trainingStep = buildTrainingStep(given, { shape: [...data.shape] });
  const resume = resumes ? await readLatestCheckpoint(folder.checkpoints) : undefined;
  return await train({
    config: given,
    data,
    engine,
    store: folderStore(folder),
    trainingStep,
    resume,
  }, control);
}

Deno.test("train() rolls back to its checkpoint with smaller learning rates and says so", () =>
  inRun(async (folder) => {
    const warnings: string[] = [];
    const rolledBackTo: number[] = [];
    const result = await trainIn(folder, {
      engine: faultyEngine(8, 0.03),
      control: {
        onWarning: (message) => void warnings.push(message),
        onRollback: ({ to }) => void rolledBackTo.push(to),
      },
    });
    assertEquals(result.step, 12);
    assertEquals(rolledBackTo, [5, 5]);
    assertEquals(
      warnings[0].split(":").pop(),
      " rolled back to step 5 with learning rates times 0.5; 1 more tries",
    );
    const events = (await Deno.readTextFile(folder.eventsFile)).trim().split("\n");
    assertEquals(events.map((line) => JSON.parse(line)), [
      {
        event: "rollback",
        step: 9,
        fault: "dLoss is NaN",
        to: 5,
        learningRateFactor: 0.5,
        retriesLeft: 1,
      },
      {
        event: "rollback",
        step: 9,
        fault: "dLoss is NaN",
        to: 5,
        learningRateFactor: 0.25,
        retriesLeft: 0,
      },
    ]);
    const { rollbacks, learningRateFactor } = await readLatestCheckpoint(folder.checkpoints);
    assertEquals([rollbacks, learningRateFactor], [2, 0.25]);
    const steps = (await readMetrics(folder.metricsFile)).map((line) => line.step);
    assertEquals(steps, Array.from({ length: 12 }, (_, i) => i + 1));
  }));

Deno.test("train() gives the same bits after a rollback when it is interrupted and resumed", () =>
  inRun(async (folder) => {
    const engine = faultyEngine(8, 0.06);
    const whole = await trainIn(folder, { engine });
    await inRun(async (other) => {
      const controller = new AbortController();
      let isRolledBack = false;
      const first = await trainIn(other, {
        engine,
        control: {
          signal: controller.signal,
          onRollback: () => {
            isRolledBack = true;
          },
          onProgress: ({ step }) => isRolledBack && step >= 6 && controller.abort(),
        },
      });
      assert(first.interrupted && first.step < 9, `interrupted at ${first.step}`);
      const second = await trainIn(other, { engine, resumes: true });
      assertEquals(second.state, whole.state);
    });
  }));

Deno.test("train() rolls back to its very start where there is no checkpoint", () =>
  inRun(async (folder) => {
    const small = { type: "sgd", learningRate: 0.05 } as const;
    const slow = { ...config, generatorOptimizer: small, discriminatorOptimizer: small };
    const result = await trainIn(folder, { engine: faultyEngine(3, 0.06) });
    await inRun(async (other) => {
      const expected = await trainIn(other, { engine: createEagerEngine("cpu", ""), given: slow });
      assertEquals(result.state, expected.state);
    });
  }));

Deno.test("train() stops when it diverged as often as it may", () =>
  inRun(async (folder) => {
    const error = await assertRejects(
      () => trainIn(folder, { engine: faultyEngine(8, 0.001) }),
      TrainingDivergedError,
      "Training stopped at step 9 because dLoss is NaN, also after 2 rollbacks, at last with " +
        "learning rates times 0.25; the last good checkpoint is ",
    );
    assertEquals(error.step, 9);
  }));

Deno.test("train() refuses a checkpoint of another config", () =>
  inRun(async (folder) => {
    const engine = createEagerEngine("cpu", "test");
    await trainIn(folder, { engine, given: { ...config, duration: { steps: 2 } } });
    await assertRejects(
      () => trainIn(folder, { engine, given: { ...config, pack: 2 }, resumes: true }),
      UserError,
      "of discriminator/dense_1/kernel the checkpoint has [2, 1], and this config needs [4, 1]",
    );
  }));

Deno.test("DivergenceGuard sees weights that explode, against the last good state", () => {
  const step = buildTrainingStep(config, { shape: [2] });
  const guard = new DivergenceGuard(step.networks, {
    spec: { retries: 1, factor: 0.5, growth: 10 },
  });
  const state = step.initialState(1);
  const scaled = (factor: number) => ({
    ...state,
    "generator/dense_1/kernel": {
      ...state["generator/dense_1/kernel"],
      data: new Float32Array(4).fill(factor),
    },
  });
  assertEquals(guard.inspect(scaled(1e6), 1), undefined);
  guard.accept(state);
  assertEquals(guard.inspect(scaled(5), 1), undefined);
  const fault = guard.inspect(scaled(100), 7)!;
  assertEquals(fault.step, 7);
  assert(fault.what.startsWith("the generator's weights exploded from a root mean square of "));
  guard.accept(scaled(100));
  assertEquals(guard.inspect(scaled(200), 8), undefined);
  const broken = scaled(1);
  broken["generator/dense_1/kernel"].data[2] = NaN;
  assertEquals(guard.inspect(broken, 9), { step: 9, what: "generator/dense_1/kernel holds NaN" });
});

Deno.test("DivergenceGuard goes on from what a checkpoint says, and stops at once without a spec", () => {
  const step = buildTrainingStep(config, { shape: [2] });
  const resumed = { rollbacks: 1, learningRateFactor: 0.5 };
  const guard = new DivergenceGuard(step.networks, { spec: { retries: 2, factor: 0.5 }, resumed });
  const fault = { step: 3, what: "gLoss is Infinity" };
  assertEquals(guard.rollBack(fault, ""), { rollbacks: 2, learningRateFactor: 0.25 });
  assertThrows(() => guard.rollBack(fault, ""), TrainingDivergedError, "after 2 rollbacks");
  const strict = new DivergenceGuard(step.networks);
  assertThrows(() => strict.rollBack(fault, "there is no checkpoint yet"), TrainingDivergedError);
});

Deno.test("scalarFault() finds the first step with a number that is not finite", () => {
  assertEquals(
    scalarFault({ a: Float32Array.of(1, 2), b: Float32Array.of(0, 0) }, { firstStep: 4 }),
    undefined,
  );
  const measured = { a: Float32Array.of(1, 2, NaN), b: Float32Array.of(0, -Infinity, 0) };
  assertEquals(scalarFault(measured, { firstStep: 4 }), { step: 6, what: "b is -Infinity" });
  const measures = (scalar: string, step: number) => scalar !== "a" || step === 4;
  const late = { a: Float32Array.of(1, NaN, NaN) };
  assertEquals(scalarFault(late, { firstStep: 4, measures }), undefined);
  assertEquals(scalarFault(late, { firstStep: 3, measures }), { step: 5, what: "a is NaN" });
});
