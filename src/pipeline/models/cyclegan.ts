/** The preset `cyclegan`: two sets of images, measured by their cycles, and by true pairs where those are known. */
import { DEFAULTS } from "../../config/defaults.ts";
import { cycleGanModel } from "../../config/presets/models/cyclegan.ts";
import { meanL1 } from "../../evaluation/models/image_measures.ts";
import type { ModelMeasurement } from "../../evaluation/models/model_evaluation.ts";
import {
  checkSize,
  computeImages,
  drawBeside,
  firstImages,
  imageOpener,
  MAX_MEASURED,
  measuredInputs,
  squareSide,
} from "./image_helpers.ts";
import type { ModelPreset, RecipeOf } from "./preset.ts";

/** See {@linkcode ModelPreset}. */
export const cycleGanPreset: ModelPreset = {
  openData: imageOpener("image-sets"),
  build(recipe, { inputs: { a } }) {
    const { preset: _, ...options } = recipe as RecipeOf<"cyclegan">;
    checkSize(a, { multiple: 8, reason: "which the networks halve three times", least: 24 });
    return cycleGanModel({
      ...DEFAULTS.recipes.cyclegan,
      ...options,
      size: squareSide(a),
      channels: a.shape[2],
    });
  },
  unit: "images",
  async draw(model, options) {
    const { rows, columns } = options.grid;
    const { a, b } = measuredInputs(model.data);
    const input = firstImages(a, rows * columns);
    const values = ["fakeB", "cycleA"];
    const { fakeB, cycleA } = await computeImages(model, { a: input }, { values });
    const third = model.data.isHeldBackPaired ? firstImages(b, rows * columns) : cycleA;
    return await drawBeside([input, fakeB, third], options);
  },
  measure: "cycle",
  async evaluate(model, { count = MAX_MEASURED, seed }) {
    const { data } = model;
    const { a, b } = measuredInputs(data);
    const [inputA, inputB] = [firstImages(a, count), firstImages(b, count)];
    const there = await computeImages(model, { a: inputA }, { values: ["fakeB", "cycleA"], seed });
    const back = await computeImages(model, { b: inputB }, { values: ["fakeA", "cycleB"], seed });
    const measures: ModelMeasurement[] = [{
      name: "cycle",
      value: (meanL1(there.cycleA.values, inputA.values) +
        meanL1(back.cycleB.values, inputB.values)) / 2,
      beside: { "data against itself": 0 },
    }];
    if (!data.heldBack || !data.isHeldBackPaired) return measures;
    const identity = meanL1(inputA.values, inputB.values);
    measures.unshift({
      name: "l1",
      value: meanL1(there.fakeB.values, inputB.values),
      beside: {
        "the way back, B to A": meanL1(back.fakeA.values, inputA.values),
        "the input as it is": identity,
        "data against itself": 0,
      },
    });
    return measures;
  },
};
