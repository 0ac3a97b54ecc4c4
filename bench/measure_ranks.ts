/**
 * Measures a step that ranks of one thread each make together, in each rank; rank 0 prints a JSON line.
 *
 *     mpirun -n 2 deno run -A bench/measure_ranks.ts PRESET BATCH node|web STEPS [profile]
 *
 * Alone, without mpirun, it measures the same whole batch in one process of one thread.
 */
import { presetConfig } from "../src/config/presets/mod.ts";
import { openCommunicator } from "../src/distributed/open.ts";
import { PhaseProfile } from "../src/distributed/profile.ts";
import { createOnnxEngine } from "../src/engine/onnx/mod.ts";
import { elementCount } from "../src/bytes.ts";
import { fillUniform } from "../src/random/counter_random.ts";
import { buildTrainingStep } from "../src/training/step.ts";

const [preset, batchText, runtime, stepsText, wantsProfile] = Deno.args;
const opened = openCommunicator();
const profile = new PhaseProfile();
const ranks = wantsProfile === "profile" ? profile.wrap(opened) : opened;
const config = { ...presetConfig(preset), batchSize: Number(batchText) };
const share = ranks.size === 1
  ? undefined
  : { index: ranks.rank, count: ranks.size, averagesGradients: true, syncBatchNorm: false };
const step = buildTrainingStep(config, { shape: config.discriminator.inputShape }, { share });
const program = { ...step.program, collective: ranks };
const engine = await createOnnxEngine({ threads: 1, runtime: runtime as "node" | "web" });
const compiled = await engine.compileStep(program, step.initialState(1), 1);
const real = fillUniform(new Float32Array(elementCount(program.inputs.real.shape)), {
  seed: 1,
  stream: 1,
  step: 0,
});
const batches = Array.from({ length: Number(stepsText) }, (_, i) => ({
  real,
  ...step.hostInputs(i, { totalSteps: 1000 }),
}));
await compiled.run(batches.slice(0, 2), 0);
await ranks.barrier();
const times: number[] = [];
for (let repeat = 0; repeat < 3; repeat++) {
  const startedAt = performance.now();
  await compiled.run(batches, 0);
  times.push((performance.now() - startedAt) / batches.length);
}
const { exchanges, bytes, ms } = profile.totals;
if (ranks.rank === 0) {
  const stepMs = Math.min(...times);
  console.log(JSON.stringify({
    preset,
    batch: config.batchSize,
    engine: engine.name,
    ranks: ranks.size,
    stepMs: Math.round(100 * stepMs) / 100,
    imagesPerSecond: Math.round(10 * config.batchSize * 1000 / stepMs) / 10,
    ...(exchanges ? { phasesMs: ms, exchanges, bytes } : {}),
  }));
}
await engine.dispose();
await ranks.barrier();
ranks.close();
