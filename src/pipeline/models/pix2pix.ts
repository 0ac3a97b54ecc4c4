/** The preset `pix2pix`: pairs of images, measured by L1, PSNR, SSIM, and the class where there are labels. */
import { DEFAULTS } from "../../config/defaults.ts";
import { pix2pixModel } from "../../config/presets/models/pix2pix.ts";
import {
  classAccuracy,
  meanL1,
  meanPsnr,
  meanSsim,
} from "../../evaluation/models/image_measures.ts";
import type { ModelMeasurement } from "../../evaluation/models/model_evaluation.ts";
import {
  checkSize,
  computeImages,
  drawBeside,
  finite,
  firstImages,
  fitTo,
  imageOpener,
  MAX_MEASURED,
  measuredInputs,
  squareSide,
} from "./image_helpers.ts";
import type { ModelPreset, RecipeOf } from "./preset.ts";

/** See {@linkcode ModelPreset}. */
export const pix2pixPreset: ModelPreset = {
  openData: imageOpener("image-pairs"),
  build(recipe, { inputs: { a, b } }) {
    const { preset: _, ...options } = recipe as RecipeOf<"pix2pix">;
    checkSize(a, { multiple: 8, reason: "which the networks halve three times", least: 24 });
    return pix2pixModel({
      ...DEFAULTS.recipes.pix2pix,
      ...options,
      size: squareSide(a),
      inputChannels: a.shape[2],
      outputChannels: b.shape[2],
    });
  },
  unit: "pairs",
  async draw(model, options) {
    const { rows, columns } = options.grid;
    const { a, b } = measuredInputs(model.data);
    const input = firstImages(a, rows * columns);
    const { fakeB } = await computeImages(model, { a: input }, { values: ["fakeB"] });
    return await drawBeside([input, fakeB, firstImages(b, rows * columns)], options);
  },
  measure: "l1",
  async evaluate(model, { count = MAX_MEASURED, seed, isQuick = false, onStage = () => {} }) {
    const { data, engine } = model;
    const { a, b } = measuredInputs(data);
    const input = firstImages(a, count);
    const target = firstImages(b, count);
    const { fakeB } = await computeImages(model, { a: input }, { values: ["fakeB"], seed });
    const same = fitTo(input, target.shape);
    const like = { values: same, shape: target.shape };
    const measures: ModelMeasurement[] = [
      {
        name: "l1",
        value: meanL1(fakeB.values, target.values),
        beside: { "the input as it is": meanL1(same, target.values), "data against itself": 0 },
      },
      {
        name: "psnr",
        value: finite(meanPsnr(fakeB, target.values)),
        beside: {
          "the input as it is": finite(meanPsnr(like, target.values)),
          "data against itself": null,
        },
      },
    ];
    const similarity = meanSsim(fakeB, target.values);
    if (similarity !== undefined) {
      measures.push({
        name: "ssim",
        value: similarity,
        beside: {
          "the input as it is": meanSsim(like, target.values)!,
          "data against itself": 1,
        },
      });
    }
    const { labels } = b;
    const trained = (data.trained ?? data.inputs).b;
    if (isQuick || !labels || !trained.labels) return measures;
    onStage("a classifier learns the classes of the data");
    const held = { labels, generated: fakeB.values, real: target.values };
    const accuracy = await classAccuracy(trained, held, engine);
    if (accuracy) {
      measures.push({
        name: "accuracy",
        value: accuracy.generated,
        beside: { "data against itself": accuracy.real },
      });
    }
    return measures;
  },
};
