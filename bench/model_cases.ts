/** The models of several networks whose steps `deno task bench` measures; bench/pytorch_models.py has the same ones. */
import { captionsModel } from "../src/config/presets/models/captions.ts";
import { tabularModel } from "../src/config/presets/models/tabular.ts";
import type { ModelSpec } from "../src/config/types.ts";
import { type ModelData, modelData } from "../src/data/model_data.ts";
import { floatSource, imageSource } from "../src/data/source.ts";
import { fillUniform } from "../src/random/counter_random.ts";

/** What is measured. */
export interface ModelCase {
  name: string;
  batch: number;
  model: ModelSpec;
  /** Random samples of the model's shapes. */
  data(): ModelData;
}

const SAMPLES = 2000;

/**
 * A table of 14 columns: nine of names, some with many, and five of numbers with their modes. Entries of each
 * column's choice; names come first.
 */
const CHOICES = { names: [50, 225, 6, 46, 29, 7, 3, 37, 4], numbers: [10, 3, 5, 5, 11] };

/** Pixels, words and words of a caption. */
const CAPTIONS = { size: 28, words: 19, length: 4 };

function tabular(batch: number): ModelCase {
  const sizes = [...CHOICES.names, ...CHOICES.numbers];
  const scalars = CHOICES.numbers.length;
  const offsets = sizes.map((_, i) => scalars + sum(sizes.slice(0, i)));
  const width = scalars + sum(sizes);
  const conditionWidth = sum(CHOICES.names);
  const shape = {
    width,
    scalars,
    choices: sizes.map((size, i) => ({ offset: offsets[i], size })),
    conditionWidth,
    conditioned: CHOICES.names.map((size, i) => ({
      rowOffset: offsets[i],
      conditionOffset: sum(CHOICES.names.slice(0, i)),
      size,
    })),
  };
  return {
    name: "tabular",
    batch,
    model: tabularModel(shape),
    data() {
      const rows = randomRows(SAMPLES * width);
      const row = floatSource(rows, {
        kind: "points",
        name: "rows",
        description: "random rows",
        shape: [width],
      });
      const conditions = {
        columns: [],
        width: conditionWidth,
        draw(count: number, { step }: { step: number }) {
          const vectors = new Float32Array(count * conditionWidth);
          const numbers = Uint32Array.from(
            { length: count },
            (_, i) => (step * count + i) % SAMPLES,
          );
          for (let i = 0; i < count; i++) {
            vectors[i * conditionWidth + numbers[i] % conditionWidth] = 1;
          }
          const places = new Int32Array(count);
          return { vectors, columns: places, categories: places, rows: numbers };
        },
      };
      return {
        ...modelData({ row }, { pairing: "by condition" }),
        table: { encodings: [], conditions, shape, trained: { columns: [], rowCount: SAMPLES } },
      };
    },
  };
}

function captions(batch: number): ModelCase {
  const { size, words, length } = CAPTIONS;
  return {
    name: "captions",
    batch,
    model: captionsModel({ size, vocabularySize: words, filters: 16 }),
    data() {
      const pixels = Uint8Array.from(randomRows(SAMPLES * size * size * 3), (x) => 127.5 + 127 * x);
      const counts = new Float32Array(SAMPLES * words);
      for (let i = 0; i < SAMPLES * length; i++) {
        counts[Math.floor(i / length) * words + (7 * i) % words] = 1;
      }
      const parts = { name: "made", description: "random numbers" };
      return modelData({
        image: imageSource(pixels, { ...parts, shape: [size, size, 3] }),
        words: floatSource(counts, { ...parts, kind: "points", shape: [words] }),
      });
    },
  };
}

function randomRows(count: number): Float32Array {
  const values = fillUniform(new Float32Array(count), { seed: 1, stream: 1, step: 0 });
  return values.map((value) => 2 * value - 1);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** All models. */
export const MODEL_CASES: readonly ModelCase[] = [tabular(500), captions(32)];
