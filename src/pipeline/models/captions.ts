/** The preset `captions`: images from captions, measured by the words that a network reads in them. */
import { DEFAULTS } from "../../config/defaults.ts";
import { captionsModel } from "../../config/presets/models/captions.ts";
import { openCaptions } from "../../data/open_captions.ts";
import { UserError } from "../../errors.ts";
import type { MeasureName } from "../../config/types.ts";
import { checkSize, drawBeside, squareSide } from "./image_helpers.ts";
import type { ModelPreset, RecipeOf } from "./preset.ts";
import { drawCaptioned, evaluateCaptioned } from "./rows_and_captions.ts";

/** Captions that are read while training goes on. */
const QUICK_COUNT = 100;

/** See {@linkcode ModelPreset}. */
export const captionsPreset: ModelPreset = {
  async openData(spec, options) {
    if (spec.source === "captions") return await openCaptions({ ...options, ...spec });
    throw new UserError(
      `Cannot open data.source "${spec.source}" for this preset: it takes "captions"`,
    );
  },
  build(recipe, { inputs: { image }, captions }) {
    const { preset: _, ...options } = recipe as RecipeOf<"captions">;
    checkSize(image, { multiple: 4, reason: "which the networks halve twice", least: 8 });
    return captionsModel({
      ...DEFAULTS.recipes.captions,
      ...options,
      size: squareSide(image),
      channels: image.shape[2],
      vocabularySize: captions!.vocabulary.words.length,
    });
  },
  unit: "images",
  async draw({ model, compute, data }, options) {
    const { rows, columns } = options.grid;
    const { heldBack, trained } = data.captions!;
    const texts = [...new Set((heldBack ?? trained).texts)].slice(0, rows);
    const captions = texts.flatMap((text) => Array<string>(columns).fill(text));
    const values = await drawCaptioned({ config: { model }, compute }, data, { captions });
    return await drawBeside([{ values, shape: data.inputs.image.shape }], options);
  },
  measure: "words",
  async evaluate({ model, compute, data }, { count, isQuick }) {
    const found = await evaluateCaptioned({ config: { model }, compute }, data, {
      count: isQuick ? QUICK_COUNT : count,
    });
    const beside = (data: number | null) => ({ "data against itself": data });
    const attributes = found.attributes.map(({ name, score }) => ({
      name: name as MeasureName,
      value: score.generated,
      beside: beside(score.data),
    }));
    return [
      { name: "words", value: found.words.generated, beside: beside(found.words.data) },
      { name: "captions", value: found.whole.generated, beside: beside(found.whole.data) },
      ...attributes,
    ];
  },
};
