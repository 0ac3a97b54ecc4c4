/** The recipes whose quality over minutes `deno task reproduce images` compares. */
import { didYouMean } from "../config/nearest.ts";
import { presetConfig } from "../config/presets/mod.ts";
import type { RunConfig } from "../config/types.ts";
import { UserError } from "../errors.ts";

/** A recipe for images: the tutorial in PyTorch, the tutorial's recipe in ganforge, ours. */
export type ImageRecipe = "tutorial-pytorch" | "tutorial" | "best";

/** Every recipe for images, in the order in which a table has them. */
export const IMAGE_RECIPES: readonly ImageRecipe[] = ["tutorial-pytorch", "tutorial", "best"];

/** What a recipe for images is called in a table. */
export const IMAGE_RECIPE_TITLES: Readonly<Record<ImageRecipe, string>> = {
  "tutorial-pytorch": "DCGAN tutorial, PyTorch",
  "tutorial": "DCGAN tutorial, ganforge",
  "best": "few-images, ganforge",
};

/** The preset that a recipe of ganforge's own is, at the size of the data. */
const PRESETS = { "tutorial": "dcgan", "best": "few-images" } as const;

/**
 * Reads a list of recipes for images, such as `tutorial,best`.
 * @throws {UserError} when one of them is unknown, or there is none
 */
export function parseImageRecipes(text: string): ImageRecipe[] {
  const names = [...new Set(text.split(",").map((name) => name.trim()).filter(Boolean))];
  const unknown = names.find((name) => !(IMAGE_RECIPES as readonly string[]).includes(name));
  if (unknown === undefined && names.length > 0) {
    return IMAGE_RECIPES.filter((recipe) => names.includes(recipe));
  }
  throw new UserError(
    `Cannot reproduce images with --recipes ${text}: ${
      unknown === undefined
        ? "it names none"
        : `there is no ${unknown}${didYouMean(unknown, IMAGE_RECIPES)}`
    }; there are ${IMAGE_RECIPES.join(", ")}`,
  );
}

/**
 * A recipe's config for images of a shape; its length is to be set.
 * @param shape `[height, width, channels]`
 * @throws {UserError} when networks of the recipe cannot be made for the shape
 */
export function imageRecipeConfig(
  recipe: Exclude<ImageRecipe, "tutorial-pytorch">,
  [height, width, channels]: readonly number[],
): RunConfig {
  const config = presetConfig(`${PRESETS[recipe]}@${height}x${width}x${channels}`);
  delete config.evaluation; // the files of samples are measured, all by the same features
  return config;
}
