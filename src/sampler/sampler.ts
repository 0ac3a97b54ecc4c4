/**
 * The sampler: loads a generator's ONNX file and draws from it, in Deno, Node and pages.
 *
 * From left to right: a source gives bytes (source.ts), their head is read and understood
 * (model_file.ts, generator_info.ts), ONNX Runtime makes a session of them (runtime.ts); a request
 * becomes latents and labels (requests.ts, latents.ts), a run makes values of them, and a sample shows
 * those (sample.ts, raster.ts, grid.ts, png.ts).
 */
import { UserError } from "../errors.ts";
import { fillLatent } from "../random/latents.ts";
import { channelsToFront, type OutputPlan } from "./assumptions.ts";
import { fillFeeds } from "./feeds.ts";
import type { FeedSpec } from "./generator_inputs.ts";
import type { GeneratorInfo } from "./generator_info.ts";
import { interpolateLatents, type InterpolateOptions } from "./latents.ts";
import { type LoadedGenerator, loadGenerator, type LoadOptions } from "./loading.ts";
import { Pace } from "./pace.ts";
import {
  checkListSize,
  checkSeed,
  planBatches,
  type RequestBatch,
  type SampleOptions,
} from "./requests.ts";
import type { Runtime, SamplerDevice } from "./session.ts";
import { type FinishedRun, Sample, SampleList } from "./sample.ts";
import { compareSelfTest } from "./self_test.ts";
import type { ModelSource } from "./source.ts";

/**
 * A loaded generator.
 *
 * @example
 * ```ts
 * import { Sampler } from "@ganforge/ganforge/sampler";
 *
 * await using sampler = await Sampler.load("fixtures/sampler/rgb.onnx", { device: "wasm" });
 * const images = await sampler.sample({ count: 4, seed: 7, truncation: 0.7 });
 * const png = await images.grid().toPng();
 * console.log(png.length > 100); // true
 * ```
 */
export class Sampler {
  /** What is known about the generator. */
  readonly info: GeneratorInfo;
  /** What it runs on, and why, where that is not what was asked for. */
  readonly device: SamplerDevice;
  readonly #runtime: Runtime;
  readonly #plan: OutputPlan;
  readonly #feeds: readonly FeedSpec[];
  readonly #defaults: LoadedGenerator["defaults"];
  #disposed = false;

  private constructor({ info, runtime, plan, feeds, defaults }: LoadedGenerator) {
    this.info = info;
    this.#plan = plan;
    this.#feeds = feeds;
    this.#defaults = defaults;
    this.device = runtime.device;
    this.#runtime = runtime;
  }

  /**
   * Loads a generator.
   * @throws {UserError} saying what is wrong with the source, the file, the model or the device
   */
  static async load(source: ModelSource, options: LoadOptions = {}): Promise<Sampler> {
    return await loadGenerator(source, options, (loaded) => new Sampler(loaded));
  }

  /**
   * Draws samples and gives them all at once.
   * @throws {UserError} if an option is out of range, or contradicts another or the generator
   */
  async sample(options: SampleOptions = {}): Promise<SampleList> {
    const batches = planBatches(options, this.info);
    checkListSize(options.count, this.info);
    const samples = new SampleList();
    const pace = new Pace();
    for (const batch of batches) {
      if (pace.isPauseDue()) await pace.pause();
      options.signal?.throwIfAborted();
      const run = await this.#run(batch, options.feeds);
      // Not push(): on a class that extends Array it takes longer than all else here.
      for (let at = 0; at < batch.seeds.length; at++) samples[samples.length] = new Sample(run, at);
    }
    return samples;
  }

  /**
   * Draws samples and gives one after the other; memory holds one batch, however many they are.
   * @throws {UserError} as {@linkcode Sampler.sample}
   */
  async *stream(options: SampleOptions = {}): AsyncGenerator<Sample, void, void> {
    const pace = new Pace();
    for (const batch of planBatches(options, this.info)) {
      if (pace.isPauseDue()) await pace.pause();
      options.signal?.throwIfAborted();
      const run = await this.#run(batch, options.feeds);
      for (let at = 0; at < batch.seeds.length; at++) yield new Sample(run, at);
    }
  }

  /**
   * The latent of a seed: the same bits on every platform.
   * @returns `[dimension]`
   * @throws {UserError} if the seed is not an integer from 0 to 2^32 - 1
   */
  latent(seed: number): Float32Array<ArrayBuffer> {
    const { dimension, distribution } = this.info.latent;
    const latent = new Float32Array(dimension);
    fillLatent(latent, { seed: checkSeed(seed), distribution });
    return latent;
  }

  /**
   * Latents on the way from one to another, for `sample({ latents })` or `stream({ latents })`.
   * @param a a seed or a latent
   * @param b a seed or a latent
   * @returns `frames` latents of `[dimension]`
   * @throws {UserError} if a seed, a latent's length or an option is out of range
   */
  interpolate(
    a: number | Float32Array,
    b: number | Float32Array,
    options: InterpolateOptions,
  ): Float32Array<ArrayBuffer>[] {
    const { dimension, distribution } = this.info.latent;
    const [from, to] = [a, b].map((end) => {
      const latent = typeof end === "number" ? this.latent(end) : end;
      if (latent.length === dimension) return latent;
      throw new UserError(
        `Cannot interpolate: a latent has ${latent.length} values, and the generator takes ${dimension}`,
      );
    });
    const mode = options.mode ?? (distribution === "uniform" ? "linear" : "spherical");
    return interpolateLatents(from, to, { ...options, mode });
  }

  /**
   * Runs the self-test of the file's manifest on this device.
   * @returns the largest |difference|
   * @throws {UserError} if the file has none, or it fails
   */
  async selfTest(): Promise<number> {
    const { manifest, name } = this.info;
    if (manifest === null) {
      throw new UserError(`Cannot test ${name}: it has no ganforge manifest and so no self-test`);
    }
    const { seeds, labels } = manifest.selfTest;
    const feeds = Object.fromEntries(
      this.#feeds.map((feed) => [feed.name, feed.type.startsWith("float") ? 0.5 : 0]),
    );
    const samples = await this.sample({ seeds, label: labels ?? undefined, feeds });
    return compareSelfTest(samples, manifest.selfTest, name);
  }

  /**
   * Frees the runtime's memory once the runs that have begun are done; samples still to be drawn fail.
   * Further calls do nothing.
   */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#runtime.release();
  }

  /** See {@linkcode Sampler.dispose}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  async #run(batch: RequestBatch, feeds: SampleOptions["feeds"]): Promise<FinishedRun> {
    if (this.#disposed) {
      throw new UserError(`Cannot sample from ${this.info.name}: the sampler is disposed`);
    }
    const { output, fixedBatch, latent, noise, name } = this.info;
    const count = fixedBatch ?? batch.seeds.length; // zeros and class 0 fill a fixed batch up
    const { channelsLast, fileShape } = this.#plan;
    const { data: raw, shape } = await this.#runtime.run(count, {
      latents: batch.latents.subarray(0, count * latent.dimension),
      labels: batch.labels?.subarray(0, count) ?? null,
      noise: batch.noise?.subarray(0, count * noise) ?? null,
      feeds: fillFeeds(this.#feeds, { count, values: { ...this.#defaults, ...feeds } }),
    });
    if (!isBatchOf(fileShape, count, shape)) {
      throw new UserError(
        `Cannot sample from ${name}: it gave [${
          shape.join(", ")
        }] for ${count} latents, expected ` +
          `[${[count, ...fileShape].join(", ")}]`,
      );
    }
    const data = channelsLast ? channelsToFront(raw, output.shape) : raw;
    return {
      batch,
      data,
      output,
      sampleLength: data.length / count,
      latentLength: latent.dimension,
    };
  }
}

/** Whether `shape` is that of `count` samples. */
function isBatchOf(sample: readonly number[], count: number, shape: readonly number[]): boolean {
  return shape.length === sample.length + 1 && shape[0] === count &&
    sample.every((size, axis) => size === shape[axis + 1]);
}
