/** Lazy penalties: the same training on every engine, and less work in the updates without a penalty. */
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import { openDataSource } from "../../src/data/open.ts";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import type { OnnxStep } from "../../src/engine/onnx/compiled_step.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import type { CompiledStep, Engine } from "../../src/engine/types.ts";
import type { WebGpuStep } from "../../src/engine/webgpu/compiled_step.ts";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../../src/engine/webgpu/engine.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { readLatestCheckpoint } from "../../src/run/checkpoint.ts";
import { readMetrics } from "../../src/run/metrics_log.ts";
import { StepKinds } from "../../src/training/step_kinds.ts";
import { folderStore } from "../../src/run/folder_store.ts";
import { createRunFolder, openRunFolder } from "../../src/run/run_folder.ts";
import { buildTrainingStep } from "../../src/training/step.ts";
import { train } from "../../src/training/train.ts";
import { runEagerOnWebGpu } from "../engine/webgpu/eager_webgpu.ts";
import { test, withWebGpu } from "../engine/webgpu/helpers.ts";
import { TINY } from "../tiny_config.ts";

/** Two convolutions under R1 and a gradient penalty, one of which draws numbers. */
function convolutional(discriminatorSteps: number): RunConfig {
  return {
    ...TINY,
    generator: {
      inputShape: [3],
      init: "torch",
      layers: [
        { type: "dense", units: 32 },
        { type: "activation", fn: "tanh" },
        { type: "reshape", shape: [4, 4, 2] },
      ],
    },
    discriminator: {
      inputShape: [4, 4, 2],
      init: "torch",
      layers: [
        { type: "conv", filters: 4, kernel: 3, stride: 2, padding: 1 },
        { type: "activation", fn: "silu" },
        { type: "dropout", rate: 0.2 },
        { type: "conv", filters: 3, kernel: 3, padding: 1 },
        { type: "activation", fn: "silu" },
        { type: "flatten" },
        { type: "dense", units: 1 },
      ],
    },
    objective: {
      name: "wasserstein",
      gradientPenalty: { weight: 2 },
      r1: { gamma: 0.5 },
      penaltyEvery: 3,
    },
    update: { ...TINY.update, discriminatorSteps },
    generatorOptimizer: { type: "sgd", learningRate: 0.05 },
    discriminatorOptimizer: { type: "adam", learningRate: 0.01, epsilon: 1e-3 },
  };
}

/** Steps that cross kinds. */
const COUNT = 7;

function openStep(discriminatorSteps: number) {
  const training = buildTrainingStep(convolutional(discriminatorSteps), { shape: [4, 4, 2] });
  const { program, initialState, hostInputs } = training;
  const size = program.inputs.real.shape.reduce((product, side) => product * side, 1);
  const batches = Array.from({ length: COUNT }, (_, step) => ({
    real: fillNormal(new Float32Array(size), { seed: 5, stream: 1, step }),
    ...hostInputs(step),
  }));
  return { training, program, initialState, batches };
}

/** The kinds that steps 0 to 6 have, and how many updates have a penalty. */
const KINDS: Record<number, { met: string[]; measured: number[] }> = {
  1: { met: ["every update penalized", "no update penalized"], measured: [0, 3, 6] },
  2: {
    met: ["update 1 of 2 penalized", "update 2 of 2 penalized", "no update penalized"],
    measured: [0, 1, 3, 4, 6],
  },
};

const hasAdapter = await openWebGpu() !== undefined;

async function engines(): Promise<Engine[]> {
  const opened: Engine[] = [await createOnnxEngine({ runtime: "web", threads: 1 })];
  if (hasAdapter) opened.push(await createWebGpuEngine());
  return opened;
}

/** How much work the kinds of step are: nodes of a graph, or dispatches. */
function workOf(step: CompiledStep): Record<string, number> {
  return (step as Partial<OnnxStep>).nodeCounts ?? (step as WebGpuStep).dispatchCounts;
}

for (const updates of [1, 2]) {
  const title = `penalties in every third of ${updates} update${updates > 1 ? "s" : ""} a step`;
  Deno.test(`${title} give the eager engine's weights, and spare work in the others`, async () => {
    const { program, initialState, batches, training } = openStep(updates);
    const { met, measured } = KINDS[updates];
    const stepKinds = new StepKinds(convolutional(updates));
    const kinds = batches.map((_, step) => stepKinds.at(step).name);
    assertEquals([...new Set(kinds)], met);
    const reference = await createEagerEngine("cpu", "").compileStep(program, initialState(1), 9);
    const expected = await reference.run(batches, 0);
    const expectedState = await reference.readState();
    await reference.dispose();
    expected.penalty.forEach((value, step) => {
      assertEquals(Number.isFinite(value), measured.includes(step));
      assertEquals(training.measures("penalty", step), measured.includes(step));
      assert(training.measures("dLoss", step));
    });
    for (const engine of await engines()) {
      const step = await engine.compileStep(program, initialState(1), 9);
      const scalars = await step.run(batches, 0);
      for (const [name, values] of Object.entries(expected)) {
        values.forEach((value, i) => {
          const actual = scalars[name][i];
          const same = Number.isNaN(value) ? Number.isNaN(actual) : Math.abs(value - actual) < 1e-4;
          assert(same, `${engine.name}: ${name} at step ${i} is ${actual}, not ${value}`);
        });
      }
      const state = await step.readState();
      for (const [name, { data }] of Object.entries(expectedState)) {
        const difference = Array.from(data)
          .reduce((most, value, i) => Math.max(most, Math.abs(value - state[name].data[i])), 0);
        assertLess(difference, 1e-4, `${engine.name}: ${name}`);
      }
      const work = workOf(step);
      assertEquals(Object.keys(work).sort(), [...met].sort());
      assertLess(work["no update penalized"], 0.8 * work[met[0]], engine.name);

      // A run that goes on from another's state has the same bits.
      await step.writeState(initialState(1));
      await step.run(batches.slice(0, 4), 0);
      const resumed = await engine.compileStep(program, await step.readState(), 9);
      await resumed.run(batches.slice(4), 4);
      assertEquals(await resumed.readState(), state, engine.name);
      await engine.dispose();
    }
  });
}

test("replayed steps with lazy penalties give the bits of eager ones", () =>
  withWebGpu(async () => {
    const { program, initialState, batches } = openStep(2);
    const eager = await runEagerOnWebGpu(program, initialState(1), { batches, seed: 9 });
    const engine = await createWebGpuEngine();
    const step = await engine.compileStep(program, initialState(1), 9);
    await step.run(batches.slice(0, 2), 0);
    await step.run(batches.slice(2), 2);
    assertEquals(await step.readState(), eager);
    await engine.dispose();
  }));

Deno.test("a run logs a lazy penalty where it is measured, and resumes with the same bits", async () => {
  const config: RunConfig = {
    ...TINY,
    objective: { name: "non-saturating", r1: { gamma: 0.5 }, penaltyEvery: 3 },
    checkpoints: { keep: 1 },
  };
  const root = await Deno.makeTempDir();
  const data = await openDataSource(config.data);
  const trainingStep = buildTrainingStep(config, { shape: [...data.shape] });
  const setup = { config, data, engine: createEagerEngine("cpu", ""), trainingStep };
  try {
    using whole = await createRunFolder(root, config, "digits");
    const seen: (number | undefined)[] = [];
    const expected = await train({ ...setup, store: folderStore(whole) }, {
      onProgress: ({ scalars }) => void seen.push(scalars.penalty),
    });
    const lines = await readMetrics(whole.metricsFile);
    assertEquals(
      lines.flatMap(({ step, penalty }) => penalty === undefined ? [] : [step]),
      [1, 4, 7, 10],
    );
    assert(lines.every(({ dLoss, gLoss }) => Number.isFinite(dLoss) && Number.isFinite(gLoss)));
    assert(seen.every((value) => Number.isFinite(value)), `${seen}`);
    assertEquals(Number(expected.scalars.penalty.toFixed(6)), lines[9].penalty);

    const controller = new AbortController();
    let path: string;
    {
      using folder = await createRunFolder(root, config, "digits");
      path = folder.path;
      await train({ ...setup, store: folderStore(folder) }, {
        signal: controller.signal,
        onProgress: ({ step }) => step >= 4 && controller.abort(),
      });
    }
    using again = await openRunFolder(path);
    const resume = await readLatestCheckpoint(again.checkpoints);
    assert(resume.step < 12);
    const rest = await train({ ...setup, store: folderStore(again), resume });
    assertEquals(rest.state, expected.state);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("StepKinds marks the updates 0, k, 2k, ... of a run", () => {
  const penalized = (every: number | undefined, discriminatorSteps: number) => {
    const kinds = new StepKinds({
      objective: { penaltyEvery: every },
      update: { discriminatorSteps },
    });
    return [0, 1, 2, 3].map((step) => {
      const kind = kinds.at(step);
      assertEquals(kinds.named(kind.name), kind);
      return kind.penalized.map(Number);
    });
  };
  assertEquals(penalized(undefined, 2), [[1, 1], [1, 1], [1, 1], [1, 1]]);
  assertEquals(penalized(2, 1), [[1], [0], [1], [0]]);
  assertEquals(penalized(4, 3), [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]);
});

Deno.test("StepKinds names the kinds that a run has, and refuses others", () => {
  const kinds = new StepKinds({
    objective: { penaltyEvery: 2 },
    update: { discriminatorSteps: 4 },
  });
  assertEquals(kinds.at(7).name, "update 1, 3 of 4 penalized");
  assertThrows(
    () => kinds.named("p-p-"),
    RangeError,
    'There is no kind of step "p-p-": the run has update 1, 3 of 4 penalized',
  );
});
