/**
 * How sampling is timed, in Deno and in a page alike; a page gets this file as it is, types stripped, so
 * it imports types alone.
 */
import type * as Ort from "onnxruntime-web";
import type { Sampler } from "../../src/sampler/mod.ts";

/** Draws one batch. */
export type Run = () => Promise<unknown>;

/** Calls are timed in chunks of about this length: clocks in pages are coarse, and pauses average out. */
const CHUNK_MS = 20;

/** How long WebAssembly's first, quick compilation is given to be replaced by the better one. */
const WARM_UP_MS = 250;

/**
 * Times several ways to do the same thing alternately, so that a busy machine hits all alike.
 * @param seconds for each of them
 * @returns for each of them the milliseconds of a call, round by round
 */
export async function timeInTurns(runs: readonly Run[], seconds: number): Promise<number[][]> {
  const calls = Math.max(1, Math.round(CHUNK_MS / await warmUp(runs)));
  const times: number[][] = runs.map(() => []);
  const deadline = performance.now() + 1000 * seconds * runs.length;
  for (let round = 0; round < 3 || performance.now() < deadline; round++) {
    for (let i = 0; i < runs.length; i++) {
      const which = round % 2 ? runs.length - 1 - i : i;
      times[which].push(await timeCalls(runs[which], calls));
    }
  }
  return times;
}

/** Runs all until compilers are done with them. @returns milliseconds of a call */
async function warmUp(runs: readonly Run[]): Promise<number> {
  const from = performance.now();
  let calls = 0;
  while (calls < 2 || performance.now() - from < WARM_UP_MS) {
    for (const run of runs) await run();
    calls++;
  }
  return (performance.now() - from) / calls / runs.length;
}

async function timeCalls(run: Run, calls: number): Promise<number> {
  const from = performance.now();
  for (let call = 0; call < calls; call++) await run();
  return (performance.now() - from) / calls;
}

/** The middle one of some numbers. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** What onnxruntime-web did with a model. */
export interface WebSpeed {
  batch: number;
  /** Milliseconds of a run of a bare session whose latents are ready. */
  bareMs: number;
  /** Milliseconds of `Sampler.sample`, which draws the latents too. */
  samplerMs: number;
  /** For each round how many times as long as the session the sampler took. */
  ratios: number[];
}

/** What to time. */
export interface WebSpeedOptions {
  /** A sampler of the model. */
  sampler: Sampler;
  /** A session of the same model, in the same ONNX Runtime. */
  session: Ort.InferenceSession;
  ort: typeof Ort;
  batches: readonly number[];
  /** For each way and batch. */
  seconds: number;
}

/** Times a sampler beside a bare session. */
export async function timeWebRuntime(options: WebSpeedOptions): Promise<WebSpeed[]> {
  const { sampler, session, ort, batches, seconds } = options;
  const { dimension } = sampler.info.latent;
  const results: WebSpeed[] = [];
  for (const batch of batches) {
    const latents = new Float32Array(batch * dimension);
    for (let i = 0; i < batch; i++) latents.set(sampler.latent(i), i * dimension);
    const bare = () =>
      session.run({
        [session.inputNames[0]]: new ort.Tensor("float32", latents, [batch, dimension]),
      });
    let seed = 0;
    const whole = () => sampler.sample({ count: batch, seed: seed += batch });
    const [bareTimes, samplerTimes] = await timeInTurns([bare, whole], seconds);
    results.push({
      batch,
      bareMs: median(bareTimes),
      samplerMs: median(samplerTimes),
      ratios: samplerTimes.map((time, round) => time / bareTimes[round]),
    });
  }
  return results;
}
