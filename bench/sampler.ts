/**
 * What the sampler costs: its share over a bare session at batch 64, and the way from a cold process to
 * the first image. Give it a generator with one latent input, such as bench/sampler_model.py makes:
 *
 *     deno run --allow-read --allow-run bench/sampler.ts MODEL.onnx [THREADS]
 */
import type * as Ort from "onnxruntime-web";
import { Sampler } from "../src/sampler/mod.ts";

const BATCH = 64;
const ROUNDS = 200;

const [model, threadsText = "1", role] = Deno.args;
const threads = Number(threadsText);

/** The cold way, in a process of its own: prints milliseconds since the process began, stage by stage. */
async function printColdStages(): Promise<void> {
  const times: Record<string, number> = { "process starts, modules imported": performance.now() };
  await using sampler = await Sampler.load(model, {
    device: "wasm",
    threads,
    onProgress: ({ stage }) => {
      if (stage === "runtime") times["model read and understood"] = performance.now();
      if (stage === "ready") times["ONNX Runtime started, session made"] = performance.now();
    },
  });
  const [image] = await sampler.sample({ seed: 7 });
  times["first sample drawn"] = performance.now();
  await image.toPng();
  times["PNG written"] = performance.now();
  await using _again = await Sampler.load(model, { device: "wasm", threads });
  const again = "(a second load in the same process: read, session)";
  times[again] = performance.now();
  console.log(JSON.stringify(times));
}

async function measureCold(): Promise<void> {
  const runs: { wallMs: number; times: Record<string, number> }[] = [];
  for (let run = 0; run < 5; run++) {
    const started = performance.now();
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-read", import.meta.filename!, model, `${threads}`, "cold"],
    }).output();
    const wallMs = performance.now() - started;
    runs.push({ wallMs, times: JSON.parse(new TextDecoder().decode(stdout)) });
  }
  console.log(`Cold process to the first image, ${threads} thread(s), median of ${runs.length}:`);
  let before = runs.map(() => 0);
  for (const stage of Object.keys(runs[0].times)) {
    const now = runs.map(({ times }) => times[stage]);
    print(stage, median(now.map((time, i) => time - before[i])));
    before = now;
  }
  print("whole process, with Deno's own start and end", median(runs.map(({ wallMs }) => wallMs)));
}

async function measureOverhead(): Promise<void> {
  const ort: typeof Ort = await import("onnxruntime-web");
  await using sampler = await Sampler.load(model, { device: "wasm", threads });
  const session = await ort.InferenceSession.create(await Deno.readFile(model));
  const [inputName] = session.inputNames;
  const latents = new Float32Array(BATCH * sampler.info.latent.dimension);
  for (let i = 0; i < BATCH; i++) {
    latents.set(sampler.latent(i), i * sampler.info.latent.dimension);
  }
  const bare = () =>
    session.run({
      [inputName]: new ort.Tensor("float32", latents, [BATCH, latents.length / BATCH]),
    });
  const whole = () => sampler.sample({ count: BATCH, seed: 0 });
  const times: Record<string, number[]> = { bare: [], whole: [] };
  for (let round = 0; round < ROUNDS + 5; round++) {
    // Alternate who goes first, so that a busy machine hits both alike.
    const pair = [["bare", bare], ["whole", whole]] as const;
    for (const [name, run] of round % 2 === 0 ? pair : pair.toReversed()) {
      const started = performance.now();
      await run();
      if (round >= 5) times[name].push(performance.now() - started);
    }
  }
  const extra = median(times.whole.map((time, i) => time - times.bare[i]));
  console.log(`Batch ${BATCH}, ${threads} thread(s), median of ${ROUNDS}:`);
  print("bare session, latents ready", median(times.bare));
  print("Sampler.sample, latents drawn", median(times.whole));
  console.log(
    `  overhead ${extra.toFixed(2)} ms, ${(100 * extra / median(times.bare)).toFixed(1)} %`,
  );
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function print(what: string, timeMs: number): void {
  console.log(`${timeMs.toFixed(1).padStart(9)} ms  ${what}`);
}

if (role === "cold") await printColdStages();
else {
  await measureOverhead();
  await measureCold();
}
