/** The part of images that models are measured on: never trained on, the same part in every run of a seed. */
import { DEFAULTS } from "../../config/defaults.ts";
import type { ModelDataSpec } from "../../config/types.ts";
import { UserError } from "../../errors.ts";
import type { ModelData } from "../model_data.ts";
import { randomSubset } from "../order.ts";
import { selectSamples } from "../selection.ts";
import { counted, type DataSource } from "../source.ts";

/** Sources by input, trained on and held back. */
export interface OpenedImages {
  name: string;
  train: Record<string, DataSource>;
  /** Where the data come with a part of their own for this. */
  test?: Record<string, DataSource>;
  pairing: ModelData["pairing"];
}

/** Holds a share of the samples back: the same ones of inputs that belong together. */
export function holdBack(
  { train, pairing }: OpenedImages,
  { heldBack = DEFAULTS.modelData.heldBack, seed = DEFAULTS.data.seed, path }: Pick<
    Extract<ModelDataSpec, { source: "images" }>,
    "heldBack" | "seed" | "path"
  >,
): { train: Record<string, DataSource>; test?: Record<string, DataSource> } {
  if (heldBack === 0) return { train };
  const parts = Object.entries(train).map(([name, source]) => {
    const wanted = Math.max(1, Math.round(heldBack * source.count));
    if (source.count - wanted < 1) {
      throw new UserError(
        `Cannot train on ${path ?? source.name}: ${source.count} ${
          source.count === 1 ? "image is" : "images are"
        } too few to hold ${wanted} back to measure with; add images, or set data.heldBack=0`,
      );
    }
    // Sets that the project makes hold the same digits: the same ones are kept from both.
    const isAlike = pairing === "together" || path === undefined;
    const place = isAlike ? 0 : Object.keys(train).indexOf(name);
    const apart = randomSubset(source.count, { wanted, seed: (seed + 1 + place) >>> 0 });
    const held = new Set(apart);
    const rest = Uint32Array.from({ length: source.count }, (_, i) => i).filter((i) =>
      !held.has(i)
    );
    const note = `${source.description}, ${counted(wanted)} of ${
      counted(source.count)
    } held back to measure with`;
    return { name, kept: selectSamples(source, rest, note), held: selectSamples(source, apart) };
  });
  return {
    train: Object.fromEntries(parts.map(({ name, kept }) => [name, kept])),
    test: Object.fromEntries(parts.map(({ name, held }) => [name, held])),
  };
}
