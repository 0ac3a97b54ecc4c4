/** The presets of several networks by name: a new one is registered here. */
import type { ModelPresetName } from "../../config/presets/models/mod.ts";
import { captionsPreset } from "./captions.ts";
import { cycleGanPreset } from "./cyclegan.ts";
import { pix2pixPreset } from "./pix2pix.ts";
import type { ModelPreset } from "./preset.ts";
import { superResolutionPreset } from "./super_resolution.ts";
import { tabularPreset } from "./tabular.ts";

/** What is known of each preset besides its config. */
export const MODEL_PRESET_PARTS: Readonly<Record<ModelPresetName, ModelPreset>> = {
  "pix2pix": pix2pixPreset,
  "cyclegan": cycleGanPreset,
  "super-resolution": superResolutionPreset,
  "tabular": tabularPreset,
  "captions": captionsPreset,
};
