/**
 * What a model of several networks trains on: for each of its inputs a source, and which samples of
 * them belong together in a batch.
 */
import { UserError } from "../errors.ts";
import type { RowShape } from "../config/presets/models/tabular.ts";
import { sha256 } from "../hash.ts";
import { fillUniform, STREAMS } from "../random/counter_random.ts";
import type { ConditionSampler } from "../tables/conditions.ts";
import type { ColumnEncoding, Table } from "../tables/columns.ts";
import type { Vocabulary } from "../vocabulary.ts";
import { shuffledBatches } from "./order.ts";
import type { DataSource } from "./source.ts";

/** How rows of a table are conditioned and written back. */
export interface TableContext {
  /** How each column is encoded. */
  encodings: ColumnEncoding[];
  /** Draws the conditions of training. */
  conditions: ConditionSampler;
  /** The layout of rows and conditions, for `tabularModel()`. */
  shape: RowShape;
  /** The rows that are trained on. */
  trained: Table;
  /** Rows that are kept to compare generated ones with, where some were held back. */
  heldBack?: Table;
}

/** Images and one caption of each. */
export interface CaptionSamples {
  /** The images. */
  image: DataSource;
  /** A caption for each. */
  texts: string[];
}

/** Which words the captions have, and the samples by their texts. */
export interface CaptionContext {
  /** In the order of the input `words`. */
  vocabulary: Vocabulary;
  /** Words of which a caption has one each, where captions are made so. */
  attributes?: readonly { name: string; words: readonly string[] }[];
  /** What is trained on. */
  trained: CaptionSamples;
  /** What is kept to compare generated images with, where some was held back. */
  heldBack?: CaptionSamples;
}

/** Sources by the names of a model's inputs. */
export interface ModelData {
  /** A short name that is fit for a folder's name. */
  readonly name: string;
  /** One line for a person: what the data are and how they were read. */
  readonly description: string;
  /** What is odd, left out or changed, in lines for a person. */
  readonly notes: readonly string[];
  /** SHA-256 of all sources and how they are joined. */
  readonly fingerprint: string;
  /** Samples of an epoch. */
  readonly count: number;
  /** A source for each input that is data. */
  readonly inputs: Readonly<Record<string, DataSource>>;
  /**
   * - `"together"`: sample `i` of each input belongs together;
   * - `"apart"`: each input has an order of its own;
   * - `"by condition"`: rows are picked by conditions that are drawn first.
   */
  readonly pairing: "together" | "apart" | "by condition";
  /**
   * In how many ways a sample may be mirrored and cropped: the sources then hold sample `i` in way `w` at
   * `i * views + w`. Default 1.
   */
  readonly views?: number;
  /** The samples that are trained on, neither mirrored nor cropped at random. Default: the inputs. */
  readonly trained?: Readonly<Record<string, DataSource>>;
  /** What is not trained on, by the names of the inputs. */
  readonly heldBack?: Readonly<Record<string, DataSource>>;
  /** Whether sample `i` of each held-back input belongs together. Default: as the inputs do. */
  readonly isHeldBackPaired?: boolean;
  /** For rows of a table. */
  readonly table?: TableContext;
  /** For images with captions. */
  readonly captions?: CaptionContext;
}

/** What the samples of a step are. */
export interface ModelBatch {
  /** For each source its samples' numbers. */
  indices: Record<string, Uint32Array>;
  /** `[batch, width]` one-hot, where rows are picked by conditions. */
  condition?: Float32Array;
}

/** What {@linkcode modelData} needs to know besides the sources. */
export interface ModelDataOptions {
  /** How samples of several inputs are joined. Default `"together"`. */
  pairing?: ModelData["pairing"];
  /** A short name. Default: those of the sources. */
  name?: string;
  /** For rows of a table. */
  table?: TableContext;
  /** In how many ways a sample may be mirrored and cropped; see {@linkcode ModelData.views}. Default 1. */
  views?: number;
  /** See {@linkcode ModelData.trained}. */
  trained?: Record<string, DataSource>;
  /** What is not trained on, to measure with. */
  heldBack?: Record<string, DataSource>;
  /** See {@linkcode ModelData.isHeldBackPaired}. */
  isHeldBackPaired?: boolean;
}

/**
 * Joins sources to what a model trains on.
 * @param inputs a source for each input that is data, by the names that the model's values use
 * @throws {UserError} when samples belong together and their counts differ
 */
export function modelData(
  inputs: Record<string, DataSource>,
  options: ModelDataOptions = {},
): ModelData {
  const { pairing = "together", name, table, views = 1, trained, heldBack } = options;
  const { isHeldBackPaired = pairing === "together" } = options;
  const sources = Object.values(inputs);
  const counts = sources.map(({ count }) => count / views);
  if (sources.length === 0) {
    throw new UserError("Cannot make the data of a model: it has no inputs");
  }
  if (pairing !== "apart" && new Set(counts).size > 1) {
    throw new UserError(
      `Cannot join ${Object.keys(inputs).join(" and ")}: they have ${
        counts.join(" and ")
      } samples, and ` +
        'sample i of each belongs together; with pairing "apart" each has an order of its own',
    );
  }
  const identity = Object.entries(inputs).map(([input, { fingerprint }]) =>
    `${input} ${fingerprint}`
  );
  return {
    name: name ?? [...new Set(sources.map((source) => source.name))].join("-"),
    description: Object.entries(inputs).map(([input, { description }]) =>
      `${input}: ${description}`
    )
      .join("; "),
    notes: sources.flatMap(({ notes = [] }) => notes),
    inputs,
    pairing,
    table,
    ...(views > 1 ? { views } : {}),
    ...(trained ? { trained } : {}),
    ...(heldBack ? { heldBack, isHeldBackPaired } : {}),
    count: Math.min(...counts),
    fingerprint: sha256(`${pairing}\n${identity.join("\n")}`),
  };
}

/**
 * Which samples each step takes: by the seed and the step alone, so that a resumed run needs no state.
 * @throws {UserError} when there are fewer samples than a batch takes
 */
export function modelBatches(
  data: ModelData,
  { batchSize, seed }: { batchSize: number; seed: number },
): (step: number) => ModelBatch {
  const names = Object.keys(data.inputs);
  if (data.pairing === "by condition" && data.table) {
    const { conditions } = data.table;
    return (step) => {
      const { rows, vectors } = conditions.draw(batchSize, { seed, step });
      return {
        indices: Object.fromEntries(names.map((name) => [name, rows])),
        condition: vectors,
      };
    };
  }
  const { views = 1 } = data;
  const orders = names.map((name, place) =>
    shuffledBatches({
      count: data.inputs[name].count / views,
      batchSize,
      seed: data.pairing === "apart" ? (seed + place) >>> 0 : seed,
    })
  );
  const viewed = (indices: Uint32Array, place: number, step: number): Uint32Array => {
    if (views === 1) return indices;
    // Inputs that belong together are seen in the same way.
    const stream = STREAMS.views + (data.pairing === "apart" ? place : 0);
    const chance = fillUniform(new Float32Array(indices.length), { seed, stream, step });
    return indices.map((index, i) => index * views + Math.floor(chance[i] * views));
  };
  return (step) => ({
    indices: Object.fromEntries(
      names.map((name, place) => [name, viewed(orders[place].indices(step), place, step)]),
    ),
  });
}
