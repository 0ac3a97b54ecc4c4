/**
 * Trains on one data set for some steps and prints images a second, the most memory and a hash of the state:
 * run by bench/data.ts, a process each.
 */
import { presetConfig } from "../../src/config/presets/mod.ts";
import { openDataSource } from "../../src/data/open.ts";
import { openEngine } from "../../src/engine/open.ts";
import { sha256 } from "../../src/hash.ts";
import { batchFeed } from "../../src/training/batch_feed.ts";
import { buildTrainingStep } from "../../src/training/step.ts";

const [path, memoryText, stepsText, batchText, device] = Deno.args;
const steps = Number(stepsText);
let peak = 0;
const look = () => peak = Math.max(peak, Deno.memoryUsage().rss);
const opening = performance.now();
const data = await openDataSource({ source: "auto", path }, {
  memoryBytes: Number(memoryText),
  onProgress: look,
});
const openSeconds = (performance.now() - opening) / 1000;
const [height, width] = data.shape;
const config = presetConfig(`dcgan@${height}x${width}`);
config.batchSize = Number(batchText);
const trainingStep = buildTrainingStep(config, { shape: [...data.shape] });
const feed = batchFeed({ seed: 1, data, trainingStep });
const { engine } = await openEngine(device as "auto" | "cpu" | "webgpu");
const compiled = await engine.compileStep(feed.program, trainingStep.initialState(1), 1);
const context = { totalSteps: steps + 1, learningRateFactor: 1 };
await compiled.run([feed.inputs(0, context)], 0); // compiles
const start = performance.now();
for (let step = 1; step <= steps; step++) {
  await compiled.run([feed.inputs(step, context)], step);
  look();
}
const seconds = (performance.now() - start) / 1000;
const state = await compiled.readState();
const hash = sha256(...Object.values(state).map(({ data }) => new Uint8Array(data.slice().buffer)));
await compiled.dispose();
await engine.dispose();
data.close?.();
console.log(JSON.stringify({
  openSeconds,
  rate: steps * trainingStep.samplesPerStep / seconds,
  megabytes: peak / 1e6,
  count: data.count,
  isStreamed: data.pixels === undefined,
  hash: hash.slice(0, 16),
}));
