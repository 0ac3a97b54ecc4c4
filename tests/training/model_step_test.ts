/** Three steps of models of several networks against PyTorch, on each engine. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import type { Engine, StepInputs } from "../../src/engine/types.ts";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../../src/engine/webgpu/engine.ts";
import { UserError } from "../../src/errors.ts";
import { fillUniform, STREAMS } from "../../src/random/counter_random.ts";
import { buildModelStep, type ModelStep } from "../../src/training/model/model_step.ts";
import { assertMatches, readGolden, type Summaries } from "../nn/golden.ts";
import { MODEL_CASES, type ModelCase } from "./model_cases.ts";

interface Golden {
  name: string;
  seed: number;
  steps: { losses: Record<string, number>; networks: Record<string, Summaries> }[];
}

/** The step's data: uniform in [-1, 1], and one-hot conditions. */
function dataAt(
  { inputShapes, batchSize }: ModelCase,
  { seed, step }: { seed: number; step: number },
): StepInputs {
  const inputs: StepInputs = {};
  for (const [index, [name, shape]] of Object.entries(inputShapes).entries()) {
    const size = shape.reduce((product, side) => product * side, batchSize);
    const address = { seed, stream: STREAMS.data + index, step };
    inputs[name] = fillUniform(new Float32Array(size), address).map((value) => 2 * value - 1);
    if (name !== "condition") continue;
    const [width] = shape;
    inputs[name] = Float32Array.from(
      { length: size },
      (_, at) => at % width === (Math.floor(at / width) + step) % width ? 1 : 0,
    );
  }
  return inputs;
}

async function followPyTorch(golden: Golden, engine: Engine): Promise<void> {
  const example = MODEL_CASES[golden.name];
  const built: ModelStep = buildModelStep(example, example.inputShapes);
  const compiled = await engine.compileStep(
    built.program,
    built.initialState(golden.seed),
    golden.seed,
  );
  for (const [step, expected] of golden.steps.entries()) {
    const inputs = {
      ...dataAt(example, { seed: golden.seed, step }),
      ...built.hostInputs(step, { totalSteps: golden.steps.length }),
    };
    const scalars = await compiled.run([inputs], step);
    for (const [name, loss] of Object.entries(expected.losses)) {
      assertAlmostEquals(
        scalars[name][0],
        loss,
        1e-4 * Math.abs(loss) + 1e-7,
        `step ${step} ${name}`,
      );
    }
    const state = await compiled.readState();
    for (const [network, parameters] of Object.entries(expected.networks)) {
      for (const [name, summary] of Object.entries(parameters)) {
        const path = `${network}/${name}`;
        assertMatches(state[path].data, summary, `step ${step + 1}: ${path}`);
      }
    }
  }
  await compiled.dispose();
}

const hasAdapter = await openWebGpu() !== undefined;

for (const golden of readGolden<Golden>("models")) {
  const title = `buildModelStep() follows PyTorch for three steps: ${golden.name}`;
  Deno.test(`${title} (cpu)`, () => followPyTorch(golden, createEagerEngine("cpu", "")));
  Deno.test(`${title} (as a graph of ONNX Runtime)`, async () =>
    followPyTorch(golden, await createOnnxEngine({ threads: 2 })));
  Deno.test({
    name: `${title} (captured on webgpu${hasAdapter ? "" : ": no adapter"})`,
    ignore: !hasAdapter,
    fn: async () => followPyTorch(golden, await createWebGpuEngine()),
  });
}

function mistake(change: (model: ModelCase["model"]) => void): () => void {
  const example = structuredClone(MODEL_CASES.paired);
  change(example.model);
  return () => buildModelStep(example, example.inputShapes);
}

Deno.test("buildModelStep() names what does not fit", () => {
  const cases: [change: (model: ModelCase["model"]) => void, message: string][] = [
    [
      (m) => m.values.fakeB = { op: "network", network: "gen", input: "a" },
      'names the network "gen"; there are',
    ],
    [
      (m) => m.values.fakeB = { op: "network", network: "generator", input: "c" },
      'no input or value "c"',
    ],
    [(m) => m.values.a = { op: "join", of: ["b", "b"] }, 'the value "a" has the name of an input'],
    [
      (m) => m.values.fakeB = { op: "join", of: ["fakeB", "a"] },
      'the value "fakeB" is made of itself',
    ],
    [
      (m) => m.values.fakeB = { op: "network", network: "generator", input: "b" },
      "gives it [4, 4, 1]",
    ],
    [(m) => m.values.fakeB = { op: "shrink", of: "a", factor: 3 }, "whose sides 3 divides"],
    [(m) => m.updates[0].networks.push("x"), 'the network "x", which does not exist'],
    [(m) => m.updates[0].terms = [], 'the update "discriminator" has no terms'],
    [(m) => m.output = "none", 'the output "none" does not exist'],
    [(m) => {
      m.values.shown = { op: "history", of: "fakeB", size: 2 };
      m.updates[0].terms.push({ name: "t", loss: "l1", of: "shown", to: "b" });
    }, 'shows "fakeB" again, which no earlier update computes'],
  ];
  for (const [change, message] of cases) {
    assertThrows(mistake(change), UserError, message);
  }
});

Deno.test("buildModelStep() keeps an EMA of the networks that the output goes through", () => {
  const example = MODEL_CASES.cycle;
  const built = buildModelStep({ ...example, ema: { halfLifeImages: 100 } }, example.inputShapes);
  const names = Object.keys(built.initialState(1)).filter((name) => name.startsWith("ema/"));
  assertEquals(new Set(names.map((name) => name.split("/")[1])), new Set(["aToB"]));
});
