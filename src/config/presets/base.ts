/** What the presets have in common: the options that do not change what is learnt. */
import type { RunConfig } from "../run_config.ts";

/** Options that a preset takes over unless it says otherwise. */
export const BASE: Pick<
  RunConfig,
  "version" | "seed" | "snapshots" | "checkpoints" | "divergence" | "device"
> = {
  version: 1,
  seed: 0,
  device: "auto",
  snapshots: { rows: 4, columns: 4, everyEpochs: 1 },
  checkpoints: { everySeconds: 120, keep: 2 },
  divergence: { retries: 3, factor: 0.5 },
};
