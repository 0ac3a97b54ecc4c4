/** The preset `tabular`: rows of a table, measured beside the table against itself. */
import { DEFAULTS } from "../../config/defaults.ts";
import { tabularModel } from "../../config/presets/models/tabular.ts";
import { openTable } from "../../data/open_table.ts";
import { UserError } from "../../errors.ts";
import type { ModelMeasurement } from "../../evaluation/models/model_evaluation.ts";
import type { ModelPreset, RecipeOf } from "./preset.ts";
import { evaluateRows } from "./rows_and_captions.ts";

const SELF = "data against itself";

/** See {@linkcode ModelPreset}. */
export const tabularPreset: ModelPreset = {
  async openData(spec) {
    if (spec.source === "table") return await openTable(spec);
    throw new UserError(
      `Cannot open data.source "${spec.source}" for this preset: it takes "table"`,
    );
  },
  build(recipe, data) {
    const { preset: _, units, ...options } = recipe as RecipeOf<"tabular">;
    const layers = units ?? [...DEFAULTS.recipes.tabular.units];
    const { latentDimension, pack, penaltyWeight } = { ...DEFAULTS.recipes.tabular, ...options };
    return tabularModel(data.table!.shape, {
      latentDimension,
      pack,
      penaltyWeight,
      generatorUnits: layers,
      discriminatorUnits: layers,
    });
  },
  unit: "rows",
  draw: () => Promise.resolve(undefined),
  measure: "pair-trends",
  async evaluate({ model, compute, data }) {
    const found = await evaluateRows({ config: { model }, compute }, data);
    const { columnShapes, pairTrends, learned, closest } = found;
    const measures: ModelMeasurement[] = [
      {
        name: "column-shapes",
        value: columnShapes.generated,
        beside: { [SELF]: columnShapes.data },
      },
      { name: "pair-trends", value: pairTrends.generated, beside: { [SELF]: pairTrends.data } },
    ];
    if (learned.length > 0) {
      const mean = (of: (column: typeof learned[number]) => number) =>
        learned.reduce((total, column) => total + of(column), 0) / learned.length;
      measures.push({
        name: "learned",
        value: mean(({ accuracy }) => accuracy.generated),
        beside: {
          [SELF]: mean(({ accuracy }) => accuracy.data!),
          "always the most frequent": mean(({ majority }) => majority),
        },
      });
    }
    measures.push(
      {
        name: "closest",
        value: closest.generated.median,
        beside: { [SELF]: closest.data?.median ?? null },
      },
      {
        name: "copies",
        value: closest.generated.copies,
        beside: { [SELF]: closest.data?.copies ?? null },
      },
    );
    return measures;
  },
};
