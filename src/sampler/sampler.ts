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
import { channelsToFront } from "./assumptions.ts";
import { fillFeeds } from "./feeds.ts";
import type { GeneratorInfo } from "./generator_info.ts";
import { interpolateLatents, type InterpolateOptions } from "./latents.ts";
import { type LoadedFile, type LoadedGenerator, loadFile, type LoadOptions } from "./loading.ts";
import { Pace } from "./pace.ts";
import {
  checkListSize,
  checkSeed,
  planBatches,
  type RequestBatch,
  type SampleOptions,
} from "./requests.ts";
import { RowList } from "./rows/row_list.ts";
import { makeRows, type RowGenerator, type RowOptions } from "./rows/rows.ts";
import { runGenerator, type Runtime, type SamplerDevice } from "./session.ts";
import type { TableRow } from "../tables/decode.ts";
import { captionTokens } from "../vocabulary.ts";
import type { TranslatedSource } from "./translate/source_image.ts";
import type { TranslatedImage } from "./translate/translated_image.ts";
import { translateImages, type TranslateOptions, type Translator } from "./translate/translate.ts";
import { testTranslator } from "./translate/trial.ts";
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
  readonly #generator: LoadedGenerator | null;
  readonly #translator: Translator | null;
  #disposed = false;

  private constructor({ info, runtime, generator, translator }: LoadedFile) {
    this.info = info;
    this.#generator = generator;
    this.#translator = translator;
    this.device = runtime.device;
    this.#runtime = runtime;
  }

  /**
   * Loads a generator, or a model that makes images from images.
   * @throws {UserError} saying what is wrong with the source, the file, the model or the device
   */
  static async load(source: ModelSource, options: LoadOptions = {}): Promise<Sampler> {
    return await loadFile(source, options, (loaded) => new Sampler(loaded));
  }

  /**
   * Draws samples and gives them all at once.
   * @throws {UserError} if an option is out of range, or contradicts another or the generator
   */
  async sample(options: SampleOptions = {}): Promise<SampleList> {
    const feeds = this.#feedsOf(options);
    const batches = planBatches(options, this.info);
    checkListSize(options.count, this.info);
    const samples = new SampleList();
    const pace = new Pace();
    for (const batch of batches) {
      if (pace.isPauseDue()) await pace.pause();
      options.signal?.throwIfAborted();
      const run = await this.#run(batch, feeds);
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
    const feeds = this.#feedsOf(options);
    const pace = new Pace();
    for (const batch of planBatches(options, this.info)) {
      if (pace.isPauseDue()) await pace.pause();
      options.signal?.throwIfAborted();
      const run = await this.#run(batch, feeds);
      for (let at = 0; at < batch.seeds.length; at++) yield new Sample(run, at);
    }
  }

  /**
   * Makes an image from an image, with a model that does so (`info.translator`): of any size, padded by
   * reflection and cropped back where the model's sizes have a common divisor, in tiles where it is large.
   * @throws {UserError} if the model takes no images, the image is none, an option is out of range, or the
   * result would be too large
   */
  translate(image: TranslatedSource, options?: TranslateOptions): Promise<TranslatedImage>;
  /** Makes an image from each image, several in one run. */
  translate(
    images: readonly TranslatedSource[],
    options?: TranslateOptions,
  ): Promise<TranslatedImage[]>;
  async translate(
    given: TranslatedSource | readonly TranslatedSource[],
    options: TranslateOptions = {},
  ): Promise<TranslatedImage | TranslatedImage[]> {
    this.#checkAlive();
    if (this.#translator === null) {
      throw new UserError(
        `Cannot translate an image with ${this.info.name}: it makes ${
          this.info.table ? "rows" : "samples"
        } from latents, and takes no image; use ${this.info.table ? "rows" : "sample"}()`,
      );
    }
    const isList = Array.isArray(given);
    const images: readonly TranslatedSource[] = isList ? given : [given as TranslatedSource];
    const results: TranslatedImage[] = [];
    for await (const result of translateImages(this.#translator, images, options)) {
      results.push(result);
    }
    return isList ? results : results[0];
  }

  /**
   * Makes rows of a table, with a model that does so (`info.table`), and gives them all at once.
   * @throws {UserError} if the model makes no rows, an option is out of range, or a condition names no column
   * or category that is known
   */
  async rows(options: RowOptions = {}): Promise<RowList> {
    const generator = this.#rowGenerator();
    const all: TableRow[] = [];
    for await (const rows of makeRows(generator, options)) for (const row of rows) all.push(row);
    return new RowList(all, generator.table.columns);
  }

  /**
   * Makes rows of a table, and gives a batch after the other; memory holds one, however many they are.
   * @throws {UserError} as {@linkcode Sampler.rows}
   */
  async *streamRows(options: RowOptions = {}): AsyncGenerator<RowList, void, void> {
    const generator = this.#rowGenerator();
    for await (const rows of makeRows(generator, options)) {
      yield new RowList(rows, generator.table.columns);
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
   * Latents on the way through several, for `sample({ latents })` or `stream({ latents })`.
   * @param stops seeds and latents, two or more
   * @returns `frames` latents of `[dimension]`
   * @throws {UserError} if a seed, a latent's length or an option is out of range
   */
  interpolate(
    stops: readonly (number | Float32Array)[],
    options: InterpolateOptions,
  ): Float32Array<ArrayBuffer>[] {
    const { dimension, distribution } = this.info.latent;
    const latents = stops.map((stop) => {
      const latent = typeof stop === "number" ? this.latent(stop) : stop;
      if (latent.length === dimension) return latent;
      throw new UserError(
        `Cannot interpolate: a latent has ${latent.length} values, and the generator takes ${dimension}`,
      );
    });
    const mode = options.mode ?? (distribution === "uniform" ? "linear" : "spherical");
    return interpolateLatents(latents, { ...options, mode });
  }

  /**
   * Runs the self-test of the file's manifest on this device.
   * @returns the largest |difference|
   * @throws {UserError} if the file has none, or it fails
   */
  async selfTest(): Promise<number> {
    const { manifest, name } = this.info;
    if (this.#translator?.info.manifest) {
      this.#checkAlive();
      return await testTranslator(this.#translator, this.#translator.info.manifest);
    }
    if (manifest === null) {
      throw new UserError(`Cannot test ${name}: it has no ganforge manifest and so no self-test`);
    }
    const { seeds, labels } = manifest.selfTest;
    const feeds = Object.fromEntries(
      this.#generator!.feeds.map((feed) => [feed.name, feed.type.startsWith("float") ? 0.5 : 0]),
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

  #checkAlive(): void {
    if (!this.#disposed) return;
    throw new UserError(`Cannot sample from ${this.info.name}: the sampler is disposed`);
  }

  /** What a request feeds besides latents and labels, a text as its words. */
  #feedsOf({ text, feeds }: SampleOptions): SampleOptions["feeds"] {
    const { name, vocabulary } = this.info;
    if (this.#translator !== null) {
      throw new UserError(
        `Cannot sample from ${name}: it makes images from images; use translate()`,
      );
    }
    if (text === undefined) {
      if (vocabulary === null || feeds?.tokens !== undefined) return feeds;
      throw new UserError(
        `Cannot sample from ${name} without a text: give text, such as ${
          JSON.stringify(vocabulary.words.slice(0, 3).join(" "))
        }`,
      );
    }
    if (vocabulary === null) {
      throw new UserError(`Cannot use a text: ${name} takes none`);
    }
    return { ...feeds, tokens: captionTokens(text, vocabulary) };
  }

  #rowGenerator(): RowGenerator {
    this.#checkAlive();
    const { info } = this;
    const table = info.manifest?.table;
    if (table === undefined || this.#generator === null) {
      throw new UserError(
        `Cannot make rows with ${info.name}: it makes ${
          info.output.kind === "image" ? "images" : "values without columns"
        }; use ${this.#translator ? "translate" : "sample"}()`,
      );
    }
    const { input } = this.#generator;
    return {
      info,
      table,
      run: async (count, fed) => {
        this.#checkAlive();
        return await runGenerator(this.#runtime, input, { count, ...fed });
      },
    };
  }

  async #run(batch: RequestBatch, feeds: SampleOptions["feeds"]): Promise<FinishedRun> {
    this.#checkAlive();
    const { output, fixedBatch, latent, noise, name } = this.info;
    const count = fixedBatch ?? batch.seeds.length; // zeros and class 0 fill a fixed batch up
    const { input, plan: { channelsLast, fileShape }, feeds: specs, defaults } = this.#generator!;
    const { data: raw, shape } = await runGenerator(this.#runtime, input, {
      count,
      latents: batch.latents.subarray(0, count * latent.dimension),
      labels: batch.labels?.subarray(0, count) ?? null,
      noise: batch.noise?.subarray(0, count * noise) ?? null,
      feeds: fillFeeds(specs, { count, values: { ...defaults, ...feeds } }),
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
