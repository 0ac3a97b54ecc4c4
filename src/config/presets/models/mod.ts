/** The presets of several networks by name: what they train on and for how long, before their networks are made. */
import { UserError } from "../../../errors.ts";
import type { ModelRunDraft } from "../../check_model.ts";
import { shortSize } from "../../data.ts";
import type { ModelRecipe } from "../../types.ts";
import { parseImageShape } from "../image_shape.ts";

/** The name of a preset of several networks. */
export type ModelPresetName = ModelRecipe["preset"];

/** What presets of several networks have in common. */
const COMMON = {
  seed: 0,
  device: "auto",
  tensorboard: false,
  checkpoints: { everySeconds: 120, keep: 2 },
} as const;

/** The configs of all presets, without the networks, which follow from the data. */
const DRAFTS: Readonly<Record<ModelPresetName, ModelRunDraft>> = {
  "pix2pix": {
    ...COMMON,
    recipe: { preset: "pix2pix" },
    data: { source: "image-pairs", size: 32 },
    batchSize: 8,
    duration: { steps: 1500 },
    snapshots: { rows: 4, columns: 4, everySteps: 250 },
  },
  "cyclegan": {
    ...COMMON,
    recipe: { preset: "cyclegan" },
    data: { source: "image-sets", size: 32 },
    batchSize: 4,
    duration: { steps: 1500 },
    learningRateSchedule: { shape: "linear", holdSteps: 750 },
    snapshots: { rows: 4, columns: 4, everySteps: 250 },
  },
  "super-resolution": {
    ...COMMON,
    recipe: { preset: "super-resolution" },
    data: { source: "images", size: 32 },
    batchSize: 8,
    duration: { steps: 2000 },
    snapshots: { rows: 4, columns: 4, everySteps: 500 },
  },
  "tabular": {
    ...COMMON,
    recipe: { preset: "tabular" },
    data: { source: "table" },
    batchSize: 500,
    duration: { steps: 600 },
    ema: { halfLifeImages: 20_000 },
  },
  "captions": {
    ...COMMON,
    recipe: { preset: "captions" },
    data: { source: "captions", size: 16 },
    batchSize: 32,
    duration: { steps: 2000 },
    snapshots: { rows: 8, columns: 8, everySteps: 500 },
  },
};

/** The names of the presets of several networks. */
export const MODEL_PRESETS = Object.keys(DRAFTS) as ModelPresetName[];

/** Whether a name, with or without a size, is that of a preset of several networks. */
export function isModelPreset(name: string): boolean {
  return Object.hasOwn(DRAFTS, name.split("@")[0]);
}

/**
 * A copy of a preset's config, without networks.
 * @param name such as `pix2pix`, or `pix2pix@64` and `pix2pix@48x64` (height, width) for images of that size
 * @throws {UserError} when it cannot be made for the size
 */
export function modelPresetDraft(name: string): ModelRunDraft {
  const [family, shape] = name.split("@", 2);
  const draft = structuredClone(DRAFTS[family as ModelPresetName]);
  if (shape === undefined) return draft;
  const { data } = draft;
  if (data === undefined || !("size" in data)) {
    throw new UserError(`Cannot make the preset ${family} for ${shape}: it has no images`);
  }
  const { height, width, channels } = parseImageShape(shape, family);
  data.size = shortSize([height, width]);
  if (/x.*x/.test(shape)) {
    if (data.source === "image-pairs") {
      throw new UserError(
        `Cannot make the preset ${family} for ${shape}: both sides of a pair keep their own channels`,
      );
    }
    data.channels = channels as 1 | 3;
  }
  return draft;
}
