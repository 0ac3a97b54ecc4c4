/** Data sources of points that are drawn from the toy densities. */
import type { DataSpec, TOY_SOURCES } from "../config/data.ts";
import { DEFAULTS } from "../config/defaults.ts";
import {
  type Density,
  grid2dDensity,
  mixture1dDensity,
  normal1dDensity,
  ring2dDensity,
} from "./densities.ts";
import { counted, type DataSource, floatSource } from "./source.ts";

/** The name of a toy density. */
export type ToyName = typeof TOY_SOURCES[number];

/** The density that a toy source draws from. */
function toyDensity(
  name: ToyName,
  options: Pick<DataSpec, "components"> = {},
): Density {
  switch (name) {
    case "mixture-1d":
      return mixture1dDensity(options.components ?? DEFAULTS.data.components);
    case "normal-1d":
      return normal1dDensity();
    case "ring-2d":
      return ring2dDensity();
    case "grid-2d":
      return grid2dDensity();
  }
}

/** Draws the points of a toy source. */
export function drawToyData(
  name: ToyName,
  options: Pick<DataSpec, "components" | "count" | "seed"> = {},
): DataSource {
  const { count = DEFAULTS.data.pointCount, seed = DEFAULTS.data.seed } = options;
  const density = toyDensity(name, options);
  const bumps = density.modes.length === 1 ? "one Gaussian" : `${density.modes.length} Gaussians`;
  return floatSource(density.sample(count, { seed }), {
    kind: "points",
    name,
    description: `${
      counted(count)
    } points in ${density.dimension}-D from ${bumps} (${name}, seed ${seed})`,
    shape: [density.dimension],
    density,
  });
}
