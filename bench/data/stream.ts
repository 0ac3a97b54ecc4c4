/**
 * Trains on data in a file and on a part of them in memory: images a second of both, the most memory, and
 * whether the same part gives the same bits either way. Run by bench/data.ts.
 */
import { presetConfig } from "../../src/config/presets/mod.ts";
import { decodedSource } from "../../src/data/cache/cached_source.ts";
import type { DataSource } from "../../src/data/source.ts";
import { openEngine } from "../../src/engine/open.ts";
import { fillBits } from "../../src/random/counter_random.ts";
import { batchFeed } from "../../src/training/batch_feed.ts";
import { buildTrainingStep } from "../../src/training/step.ts";

const [folder, sideText, countText, partText, stepsText, device] = Deno.args;
const [side, count, part, steps] = [sideText, countText, partText, stepsText].map(Number);

/** Images of noise, decoded as it were. */
async function made(count: number, memoryBytes: number): Promise<DataSource> {
  const size = 3 * side * side;
  const cache = { folder, maxBytes: Infinity };
  const identity = { side, count };
  return await decodedSource({ cache, memoryBytes }, { identity, name: "made" }, (sink) => {
    sink.begin([side, side, 3], count);
    const words = new Uint32Array(size / 4);
    for (let i = 0; i < count; i++) {
      sink.write(new Uint8Array(fillBits(words, { seed: 1, stream: 1, step: i }).buffer));
    }
    return Promise.resolve({ name: "made", origin: "made images", shape: [side, side, 3] });
  });
}

async function measure(data: DataSource): Promise<{ rate: number; hash: string; peakMb: number }> {
  const config = presetConfig(`dcgan@${side}`);
  config.batchSize = Math.min(config.batchSize, 16);
  const trainingStep = buildTrainingStep(config, { shape: [...data.shape] });
  const feed = batchFeed({ seed: 1, data, trainingStep });
  const { engine } = await openEngine(device as "auto" | "cpu" | "webgpu");
  const compiled = await engine.compileStep(feed.program, trainingStep.initialState(1), 1);
  const context = { totalSteps: steps + 1, learningRateFactor: 1 };
  await compiled.run([feed.inputs(0, context)], 0); // compiles
  let peak = Deno.memoryUsage().rss;
  const start = performance.now();
  for (let step = 1; step <= steps; step++) {
    await compiled.run([feed.inputs(step, context)], step);
    peak = Math.max(peak, Deno.memoryUsage().rss);
  }
  const seconds = (performance.now() - start) / 1000;
  const state = await compiled.readState();
  const parts = Object.values(state).map(({ data }) => new Uint8Array(data.slice().buffer));
  const digests = await Promise.all(parts.map((bytes) => crypto.subtle.digest("SHA-256", bytes)));
  const hash = digests.map((digest) => new Uint8Array(digest).slice(0, 4).join("-")).join(" ");
  await compiled.dispose();
  await engine.dispose();
  return { rate: steps * trainingStep.samplesPerStep / seconds, hash, peakMb: peak / 1e6 };
}

const large = await made(count, 0);
const streamed = await measure(large);
large.close?.();
const inMemory = await measure(await made(part, Infinity));
const fromFile = await made(part, 0);
const again = await measure(fromFile);
fromFile.close?.();
console.log(JSON.stringify({
  streamedRate: streamed.rate,
  streamedPeakMb: streamed.peakMb,
  memoryRate: inMemory.rate,
  partStreamedRate: again.rate,
  sameBits: again.hash === inMemory.hash,
}));
