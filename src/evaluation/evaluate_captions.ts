/**
 * Whether images show what their captions say: a small network learns from the real images which words belong to
 * them, then reads generated images of captions that were held back, and the real images of the same captions.
 */
import type { CaptionContext, CaptionSamples } from "../data/model_data.ts";
import type { LayerSpec, ModelSpec } from "../config/types.ts";
import type { Engine } from "../engine/types.ts";
import { modelData } from "../data/model_data.ts";
import { tensorData } from "../data/memory_data.ts";
import { UserError } from "../errors.ts";
import { captionWords, encodeCaption } from "../vocabulary.ts";
import { createMemoryStore } from "../training/memory_store.ts";
import { modelFeed } from "../training/model/model_feed.ts";
import { buildModelStep } from "../training/model/model_step.ts";
import { section } from "../training/tensor_names.ts";
import { train } from "../training/train.ts";
import type { HostTensors } from "../tensor/types.ts";
import type { Pair } from "./evaluation.ts";
import { compileNetwork } from "./generate.ts";

/** What {@linkcode evaluateCaptions} finds. */
export interface CaptionEvaluation {
  /** Captions that were read. */
  captions: number;
  /** Whether the captions were held back from training; else some that were trained on. */
  heldBack: boolean;
  /** Share of the captions' words that are among as many likeliest ones. */
  words: Pair<number>;
  /** Share of the captions of which all words are. */
  whole: Pair<number>;
  /** Of captions made of attributes: the share of each that is read right. */
  attributes: { name: string; score: Pair<number> }[];
}

/** How captions are read. */
export interface CaptionEvaluationOptions {
  /** Runs the network that reads. */
  engine: Engine;
  /** Images of captions, `[n, ...shape]` flat in [-1, 1]. */
  generate(captions: readonly string[]): Promise<Float32Array>;
  /** Captions at most. Default 500. */
  count?: number;
}

const BATCH = 64;
const STEPS = { min: 300, max: 1200 };
const EPOCHS = 6;
const MAX_CAPTIONS = 500;

/**
 * Reads generated images, beside real ones.
 * @throws {UserError} when there are fewer images than a batch takes
 */
export async function evaluateCaptions(
  context: CaptionContext,
  { engine, generate, count = MAX_CAPTIONS }: CaptionEvaluationOptions,
): Promise<CaptionEvaluation> {
  const { trained, heldBack, vocabulary } = context;
  const read = await trainReader(context, engine);
  const asked = firstCaptions(heldBack ?? trained, count);
  const generated = await read(await generate(asked.texts));
  const real = await read(asked.image.batch(asked.indices).values);
  const places = new Map(vocabulary.words.map((word, place) => [word, place]));
  const wanted = asked.texts.map((text) =>
    [...new Set(captionWords(text))].map((word) => places.get(word)!)
  );
  const pair = (score: (scores: Float32Array) => number): Pair<number> => ({
    generated: score(generated),
    data: score(real),
  });
  const size = vocabulary.words.length;
  return {
    captions: asked.texts.length,
    heldBack: heldBack !== undefined,
    words: pair((scores) =>
      meanOver(wanted, (words, row) => shareRead(words, rowOf(scores, row, size)))
    ),
    whole: pair((scores) =>
      meanOver(wanted, (words, row) => shareRead(words, rowOf(scores, row, size)) === 1 ? 1 : 0)
    ),
    attributes: (context.attributes ?? []).map(({ name, words }) => {
      const group = words.map((word) => places.get(word)).filter((place) => place !== undefined);
      return {
        name,
        score: pair((scores) =>
          meanOver(wanted, (said, row) => {
            const own = rowOf(scores, row, size);
            const likeliest = group.reduce((best, place) => own[place] > own[best] ? place : best);
            return said.includes(likeliest) ? 1 : 0;
          })
        ),
      };
    }),
  };
}

function firstCaptions(
  { image, texts }: CaptionSamples,
  count: number,
): CaptionSamples & { indices: Uint32Array } {
  const length = Math.min(count, texts.length);
  const indices = Uint32Array.from({ length }, (_, i) => Math.floor(i * texts.length / length));
  return { image, indices, texts: Array.from(indices, (index) => texts[index]) };
}

function rowOf(scores: Float32Array, row: number, size: number): Float32Array {
  return scores.subarray(row * size, (row + 1) * size);
}

/** The share of words that are among as many with the highest scores. */
function shareRead(words: readonly number[], scores: Float32Array): number {
  const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, words.length);
  return words.filter((word) => order.includes(word)).length / words.length;
}

function meanOver<T>(rows: readonly T[], of: (row: T, index: number) => number): number {
  return rows.reduce((total, row, index) => total + of(row, index), 0) / rows.length;
}

/** Trains the network that reads images. @returns `[n, words]` scores of images */
async function trainReader(
  { trained, vocabulary }: CaptionContext,
  engine: Engine,
): Promise<(images: Float32Array) => Promise<Float32Array>> {
  const { image, texts } = trained;
  const size = vocabulary.words.length;
  if (image.count < BATCH) {
    throw new UserError(
      `Cannot learn to read ${image.count} images: at least ${BATCH} are needed to say what they show`,
    );
  }
  const said = new Float32Array(texts.length * size);
  for (const [row, text] of texts.entries()) {
    said.set(encodeCaption(text, vocabulary).map((times) => Math.min(1, times)), row * size);
  }
  const data = modelData({ image, said: tensorData(said, { shape: [size] }) });
  const model = readerModel(image.shape, size);
  const steps = Math.ceil(Math.min(STEPS.max, Math.max(STEPS.min, EPOCHS * image.count / BATCH)));
  const config = {
    seed: 0,
    duration: { steps },
    checkpoints: { everySteps: steps, keep: 1 },
    snapshots: { rows: 1, columns: 1 },
  };
  const step = buildModelStep(
    { model, batchSize: BATCH, learningRateSchedule: { shape: "linear" } },
    { image: image.shape, said: [size] },
  );
  const { state } = await train({
    config,
    data,
    engine,
    store: createMemoryStore(),
    trainingStep: step,
    feed: modelFeed({ seed: 0, data, step }),
  });
  const weights: HostTensors = section(state, "reader");
  const { reader } = step.networks;
  return async (images) => {
    const runner = await compileNetwork(engine, reader, BATCH);
    try {
      const shape = [images.length / image.sampleSize, ...image.shape];
      const read = await runner.run(weights, { shape, dtype: "float32", data: images });
      return read.data as Float32Array;
    } finally {
      await runner.dispose();
    }
  };
}

/** The network that reads: each output is how likely a word is, and the squared error is minimized. */
function readerModel(shape: readonly number[], words: number): ModelSpec {
  const half = (filters: number): LayerSpec[] => [
    { type: "conv", filters, kernel: 4, stride: 2, padding: 1 },
    { type: "activation", fn: "relu" },
  ];
  return {
    networks: {
      reader: {
        inputShape: [...shape],
        init: "torch",
        layers: [
          ...half(16),
          ...half(32),
          ...(Math.min(shape[0], shape[1]) >= 32 ? half(48) : []),
          { type: "flatten" },
          { type: "dense", units: 128 },
          { type: "activation", fn: "relu" },
          { type: "dense", units: words },
          { type: "activation", fn: "sigmoid" },
        ],
      },
    },
    values: { read: { op: "network", network: "reader", input: "image" } },
    updates: [{
      name: "reader",
      networks: ["reader"],
      optimizer: { type: "adam", learningRate: 2e-3 },
      terms: [{ name: "error", loss: "l2", of: "read", to: "said" }],
    }],
    output: "read",
  };
}
