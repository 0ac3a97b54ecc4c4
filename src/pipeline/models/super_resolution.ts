/** The preset `super-resolution`: images to enlarge to, measured by PSNR and SSIM beside fixed filters. */
import { DEFAULTS } from "../../config/defaults.ts";
import { superResolutionModel } from "../../config/presets/models/super_resolution.ts";
import { enlargeBy } from "../../evaluation/models/enlarge.ts";
import { type ImageValues, meanPsnr, meanSsim } from "../../evaluation/models/image_measures.ts";
import type { ModelMeasurement } from "../../evaluation/models/model_evaluation.ts";
import {
  checkSize,
  computeImages,
  drawBeside,
  finite,
  firstImages,
  imageOpener,
  MAX_MEASURED,
  measuredInputs,
  squareSide,
} from "./image_helpers.ts";
import type { ModelAtStep, ModelPreset, RecipeOf } from "./preset.ts";

const { factor: defaultFactor } = DEFAULTS.recipes.superResolution;

/** See {@linkcode ModelPreset}. */
export const superResolutionPreset: ModelPreset = {
  openData: imageOpener("images"),
  build(recipe, { inputs: { high } }) {
    const { preset: _, ...options } = recipe as RecipeOf<"super-resolution">;
    const { factor = defaultFactor } = options;
    checkSize(high, { multiple: factor, reason: "the factor of enlargement (recipe.factor)" });
    return superResolutionModel({
      ...DEFAULTS.recipes.superResolution,
      ...options,
      factor,
      size: squareSide(high),
      channels: high.shape[2],
    });
  },
  unit: "images",
  async draw(model, options) {
    const { rows, columns } = options.grid;
    const { high, low, enlarged } = await enlargedImages(model, { count: rows * columns });
    return await drawBeside([low, enlarged, high], options);
  },
  measure: "psnr",
  async evaluate(model, { count = MAX_MEASURED, seed }) {
    const { factor = defaultFactor } = model.recipe as RecipeOf<"super-resolution">;
    const { high, low, enlarged } = await enlargedImages(model, { count, seed });
    const [height, width, channels] = low.shape;
    const small = { values: low.values, height, width, channels };
    const others = Object.entries({
      "Lanczos-3": enlargeBy("lanczos", small, factor),
      "bicubic": enlargeBy("bicubic", small, factor),
    }).map(([name, values]) => ({ name, values, shape: high.shape }));
    const measures: ModelMeasurement[] = [{
      name: "psnr",
      value: finite(meanPsnr(enlarged, high.values)),
      beside: {
        ...Object.fromEntries(
          others.map((other) => [other.name, finite(meanPsnr(other, high.values))]),
        ),
        "data against itself": null,
      },
    }];
    const similarity = meanSsim(enlarged, high.values);
    if (similarity === undefined) return measures;
    measures.push({
      name: "ssim",
      value: similarity,
      beside: {
        ...Object.fromEntries(
          others.map((other) => [other.name, meanSsim(other, high.values)!]),
        ),
        "data against itself": 1,
      },
    });
    return measures;
  },
};

/** Held-back images, what is left of them when they are small (in 8 bits, as files are), and enlarged again. */
async function enlargedImages(
  model: ModelAtStep,
  { count, seed }: { count: number; seed?: number },
): Promise<Record<"high" | "low" | "enlarged", ImageValues>> {
  const high = firstImages(measuredInputs(model.data).high, count);
  const { low } = await computeImages(model, { high }, { values: ["low"] });
  const rounded = {
    values: low.values.map((value) => Math.round((value + 1) * 127.5) / 127.5 - 1),
    shape: low.shape,
  };
  const { enlarged } = await computeImages(model, { low: rounded }, {
    values: ["enlarged"],
    seed,
  });
  return { high, low: rounded, enlarged };
}
