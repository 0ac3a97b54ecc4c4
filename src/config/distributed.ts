/** How several processes train one run together, as data; see docs/cluster.md. */
import { z } from "zod";
import { DEFAULTS } from "./defaults.ts";
import { named, optional } from "./option.ts";

export type { DistributedSpec } from "./types.ts";

/** Checks a {@linkcode DistributedSpec}. */
export const distributedSchema = named(
  z.strictObject({
    every: optional(
      z.number().int().positive(),
      "Weights are averaged every N steps, and at each checkpoint (local SGD, Stich 2019); 1: gradients " +
        "are, at each update.",
      { default: DEFAULTS.distributed.every },
    ),
    syncBatchNorm: optional(
      z.boolean(),
      "Whether batch norm takes its statistics over the whole batch, not over the part of each process.",
      { default: DEFAULTS.distributed.syncBatchNorm },
    ),
  }),
  "DistributedSpec",
  { meaning: "How several processes train together. One process alone trains as ever." },
);
