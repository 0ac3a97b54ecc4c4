/** From the draft of a run of a model to its config, data and networks. */
import { assignOptions } from "../../config/assignments.ts";
import { checkModelConfig, checkModelDraft, type ModelRunDraft } from "../../config/check_model.ts";
import type { ModelRecipe, ModelRunConfig } from "../../config/types.ts";
import type { ModelData } from "../../data/model_data.ts";
import type { OpenOptions } from "../../data/open.ts";
import { UserError } from "../../errors.ts";
import { inputShapesOf } from "../../training/model/model_feed.ts";
import { buildModelStep, type ModelStep } from "../../training/model/model_step.ts";
import type { ModelPreset } from "./preset.ts";
import { MODEL_PRESET_PARTS } from "./presets.ts";

/** A run of a model, ready to be trained. */
export interface OpenedModelRun {
  config: ModelRunConfig & { recipe: ModelRecipe };
  preset: ModelPreset;
  data: ModelData;
  step: ModelStep;
}

/**
 * Opens the data of a draft, makes its networks where it has none, and builds the step.
 * @param options.assignments `--set` options of the networks, `model.path=value`, which come after they are made
 * @throws {UserError} when the config, the data or an assignment does not fit
 */
export async function openModelRun(
  draft: ModelRunDraft,
  { assignments = [], onData, ...opening }: OpenOptions & {
    assignments?: readonly string[];
    onData?: (data: ModelData) => void;
  } = {},
): Promise<OpenedModelRun> {
  const { recipe, preset } = presetOf(draft);
  const { data: spec } = draft;
  if (spec === undefined) {
    throw new UserError(
      `Cannot train ${recipe.preset}: the config has no data; name them as in --set data.source=...`,
    );
  }
  const data = await preset.openData(spec, opening);
  onData?.(data);
  const whole = { ...draft, model: draft.model ?? preset.build(recipe, data) };
  const origin = assignments.map((assignment) => `--set ${assignment}`).join(" ") || "the config";
  const config = checkModelConfig(assignOptions(whole, assignments, "model"), origin);
  const step = buildModelStep(config, inputShapesOf(data));
  return { config: { ...config, recipe }, preset, data, step };
}

/**
 * The preset of a config.
 * @throws {UserError} when it has networks of its own
 */
export function presetOf(
  { recipe }: Pick<ModelRunDraft, "recipe">,
): { recipe: ModelRecipe; preset: ModelPreset } {
  if (recipe) return { recipe, preset: MODEL_PRESET_PARTS[recipe.preset] };
  throw new UserError(
    "Cannot use a model without a recipe here: how its data are opened and measured is known to the program " +
      "that trains it with trainModel() and resumeModel()",
  );
}

/**
 * Replaces options of a draft, as `--set` does.
 * @returns the draft, and the assignments that have to wait for the networks
 */
export function assignToDraft(
  draft: ModelRunDraft,
  assignments: readonly string[],
): { draft: ModelRunDraft; later: string[] } {
  const isLater = (assignment: string) =>
    draft.model === undefined && /^model[.=]/.test(assignment);
  const now = assignments.filter((assignment) => !isLater(assignment));
  const recipes = now.filter((assignment) => /^recipe[.=]/.test(assignment));
  if (draft.model !== undefined && recipes.length > 0) {
    throw new UserError(
      `Cannot use --set ${recipes[0]}: the config has its networks already; change them as in ` +
        "--set model.updates.0.optimizer.learningRate=1e-4, or start from the preset",
    );
  }
  const origin = now.map((assignment) => `--set ${assignment}`).join(" ") || "the options";
  return {
    draft: checkModelDraft(assignOptions(draft, now, "model"), origin),
    later: assignments.filter(isLater),
  };
}
