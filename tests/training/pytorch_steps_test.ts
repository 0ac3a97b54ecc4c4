/** Three training steps of each tutorial preset, and of more recipes, against PyTorch, dropout off. */
import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import type { LayerSpec, NetworkSpec } from "../../src/config/network.ts";
import { presets } from "../../src/config/presets/mod.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import { createEagerEngine } from "../../src/engine/eager/engine.ts";
import type { Engine, StepInputs } from "../../src/engine/types.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import { openWebGpu } from "../../src/engine/webgpu/device.ts";
import { createWebGpuEngine } from "../../src/engine/webgpu/engine.ts";
import { fillUniform, STREAMS } from "../../src/random/counter_random.ts";
import { buildTrainingStep } from "../../src/training/step.ts";
import { assertMatches, readGolden, type Summaries } from "../nn/golden.ts";

interface TrainingCase {
  name: string;
  /** What the config starts from, and what it changes there. */
  preset: string;
  config: Partial<RunConfig>;
  seed: number;
  batch: number;
  sampleShape: number[];
  steps: { dLoss: number; gLoss: number; generator: Summaries; discriminator: Summaries }[];
}

/** Classes of the cases with labels. */
const CLASSES = 3;

function withoutDropout(network: NetworkSpec): NetworkSpec {
  const layers = network.layers.map((layer): LayerSpec =>
    layer.type === "dropout" ? { ...layer, rate: 0 } : layer
  );
  return { ...network, layers };
}

/**
 * A convolution's bias right before batch norm has no effect and no gradient, and ours stays where it
 * is; what PyTorch's Adam makes of its rounding errors is noise of up to the learning rate a step, in
 * the bias and in the mean it moves.
 */
function canceledBiases(network: NetworkSpec): { biases: string[]; means: string[] } {
  const result = { biases: [] as string[], means: [] as string[] };
  const counts: Record<string, number> = {};
  let before = "";
  for (const { type } of network.layers) {
    counts[type] = (counts[type] ?? 0) + 1;
    if (type === "batch-norm" && before.startsWith("conv")) {
      result.biases.push(`${before}/bias`);
      result.means.push(`batch-norm_${counts[type]}/moving_mean`);
    }
    before = `${type}_${counts[type]}`;
  }
  return result;
}

function checkPlayer(
  role: "generator" | "discriminator",
  { config, state, expected, step }: {
    config: RunConfig;
    state: HostTensors;
    expected: Summaries;
    step: number;
  },
): void {
  const { biases, means } = canceledBiases(config[role]);
  const noise = (step + 1) * config[`${role}Optimizer`].learningRate;
  for (const [name, summary] of Object.entries(expected)) {
    const path = name.startsWith("optimizer/")
      ? `${role}Optimizer/${name.slice("optimizer/".length)}`
      : `${role}/${name}`;
    const { data } = state[path];
    const what = `${config.preset}, step ${step + 1}: ${path}`;
    const bias = biases.find((bias) => name.endsWith(bias) || name.includes(`${bias}/`));
    if (bias && name.startsWith("optimizer/")) {
      assert(data.every((value) => value === 0), `${what} should be 0`);
      const kernel = expected[name.replace("/bias/", "/kernel/")];
      assertLess(summary.norm, 1e-3 * kernel.norm, `PyTorch's ${what} should be rounding`);
    } else {
      const floor = bias || means.includes(name) ? 2 * noise : 1e-9;
      assertMatches(data, summary, what, { floor });
    }
  }
}

async function followPyTorch(golden: TrainingCase, engine: Engine): Promise<void> {
  const preset: RunConfig = { ...presets[golden.preset], ...golden.config };
  const config: RunConfig = {
    ...preset,
    batchSize: golden.batch,
    generator: withoutDropout(preset.generator),
    discriminator: withoutDropout(preset.discriminator),
  };
  const sample = {
    shape: golden.sampleShape,
    classCount: config.conditional ? CLASSES : undefined,
  };
  const training = buildTrainingStep(config, sample);
  const initial = training.initialState(golden.seed);
  const compiled = await engine.compileStep(training.program, initial, golden.seed);
  for (const [step, expected] of golden.steps.entries()) {
    const size = golden.sampleShape.reduce((a, b) => a * b, training.samplesPerStep);
    const address = { seed: golden.seed, stream: STREAMS.data, step };
    const real = fillUniform(new Float32Array(size), address).map((value) => 2 * value - 1);
    const inputs: StepInputs = { real, ...training.hostInputs(step) };
    if (training.usesLabels) {
      const draws = fillUniform(new Float32Array(training.samplesPerStep), {
        ...address,
        stream: STREAMS.data + 1,
      });
      inputs.labels = Int32Array.from(draws, (u) => Math.floor(u * CLASSES));
    }
    const { dLoss, gLoss } = await compiled.run([inputs], step);
    assertAlmostEquals(dLoss[0], expected.dLoss, 1e-4 * Math.abs(expected.dLoss) + 1e-7);
    assertAlmostEquals(gLoss[0], expected.gLoss, 1e-4 * Math.abs(expected.gLoss) + 1e-7);
    const state = await compiled.readState();
    const names = [...Object.keys(expected.generator), ...Object.keys(expected.discriminator)];
    assertEquals(Object.keys(state).length, names.length, "tensors in the state");
    checkPlayer("generator", { config, state, expected: expected.generator, step });
    checkPlayer("discriminator", { config, state, expected: expected.discriminator, step });
  }
  await compiled.dispose();
}

const hasAdapter = await openWebGpu() !== undefined;

for (const golden of readGolden<TrainingCase>("training")) {
  const title = `buildTrainingStep() follows the PyTorch program for three steps: ${golden.name}`;
  Deno.test(`${title} (cpu)`, () => followPyTorch(golden, createEagerEngine("cpu", "")));
  Deno.test(`${title} (as a graph of ONNX Runtime)`, async () =>
    followPyTorch(golden, await createOnnxEngine({ threads: 2 })));
  Deno.test({
    name: `${title} (captured on webgpu${hasAdapter ? "" : ": no adapter"})`,
    ignore: !hasAdapter,
    fn: async () => followPyTorch(golden, await createWebGpuEngine()),
  });
}
