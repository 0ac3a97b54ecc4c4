/**
 * What lazy penalties save: milliseconds a step with the penalty in every 16th update of D and in every
 * one, alternately in one process.
 *
 *     deno run -A bench/lazy_penalty.ts [ENGINE ...] [--rounds=N]
 *
 * ENGINE: onnx-node, onnx-web, webgpu; default all that can be opened.
 */
import { elementCount } from "../src/bytes.ts";
import { r3gan } from "../src/config/presets/r3gan.ts";
import type { RunConfig } from "../src/config/run_config.ts";
import type { OnnxStep } from "../src/engine/onnx/compiled_step.ts";
import { createOnnxEngine } from "../src/engine/onnx/mod.ts";
import type { CompiledStep, Engine, StepInputs } from "../src/engine/types.ts";
import type { WebGpuStep } from "../src/engine/webgpu/compiled_step.ts";
import { createWebGpuEngine } from "../src/engine/webgpu/engine.ts";
import { fillUniform } from "../src/random/counter_random.ts";
import { buildTrainingStep } from "../src/training/step.ts";
import { STEP_CASES } from "./step_cases.ts";

/** Steps of a measurement: one penalty falls due in each. */
const EVERY = 16;

const CASES: Record<string, RunConfig> = {
  "wgan-gp-conv, batch 8": {
    ...STEP_CASES.find(({ name }) => name === "wgan-gp-conv")!.config,
    batchSize: 8,
  },
  "r3gan 16 x 16, 16 channels, batch 8": {
    ...r3gan({ height: 16, width: 16, channels: 3 }, 16),
    batchSize: 8,
  },
};

const openers: Record<string, () => Promise<Engine>> = {
  "onnx-node": () => createOnnxEngine({ runtime: "node" }),
  "onnx-web": () => createOnnxEngine({ runtime: "web" }),
  webgpu: () => createWebGpuEngine(),
};

const asked = Deno.args.filter((arg) => !arg.startsWith("--"));
const rounds = Number(Deno.args.find((arg) => arg.startsWith("--rounds="))?.slice(9) ?? 5);
for (const name of asked.length > 0 ? asked : Object.keys(openers)) {
  let engine: Engine;
  try {
    engine = await openers[name]();
  } catch (error) {
    console.log(`${name}: ${(error as Error).message}`);
    continue;
  }
  for (const [title, config] of Object.entries(CASES)) await compare(engine, title, config);
  await engine.dispose();
}
Deno.exit(0);

async function compare(engine: Engine, title: string, config: RunConfig): Promise<void> {
  const always = await open(engine, config);
  const objective = { ...config.objective, penaltyEvery: EVERY };
  const lazy = await open(engine, { ...config, objective });
  const times: Record<"always" | "lazy", number[]> = { always: [], lazy: [] };
  for (let round = 0; round < rounds; round++) {
    times.always.push(await always.time());
    times.lazy.push(await lazy.time());
  }
  const [full, spare] = [median(times.always), median(times.lazy)];
  console.log(
    `${engine.name}, ${title}: ${full.toFixed(2)} ms a step with the penalty in every update, ` +
      `${spare.toFixed(2)} in every ${EVERY}th: ${(spare / full).toFixed(2)}; ` +
      `${lazy.unit} a step by kind ${JSON.stringify(lazy.work())}`,
  );
  await always.step.dispose();
  await lazy.step.dispose();
}

/** A compiled step, and what runs it for 16 steps. */
async function open(engine: Engine, config: RunConfig) {
  const shape = config.discriminator.inputShape;
  const training = buildTrainingStep(config, { shape });
  const step: CompiledStep = await engine.compileStep(
    training.program,
    training.initialState(0),
    0,
  );
  const size = elementCount(training.program.inputs.real.shape);
  const real = fillUniform(new Float32Array(size), { seed: 1, stream: 1, step: 0 });
  const batches: StepInputs[] = Array.from(
    { length: EVERY },
    (_, index) => ({ real, ...training.hostInputs(index) }),
  );
  await step.run(batches, 0);
  const counts = () =>
    (step as Partial<OnnxStep>).nodeCounts ?? (step as WebGpuStep).dispatchCounts;
  return {
    step,
    unit: "nodeCounts" in step ? "nodes" : "dispatches",
    work: counts,
    async time(): Promise<number> {
      const from = performance.now();
      await step.run(batches, 0);
      return (performance.now() - from) / EVERY;
    },
  };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
