/** The presets by name. */
import type { RunConfig } from "../run_config.ts";
import { UserError } from "../../errors.ts";
import { didYouMean } from "../nearest.ts";
import { digits } from "./digits.ts";
import { grid2d, ring2d } from "./mixtures.ts";
import { cifarDcgan, mixture1d, mnistMlp, uniformToNormal } from "./tutorials.ts";

/** What `deno task train` trains when it is told nothing. */
export const DEFAULT_PRESET = "digits";

/** Every preset, by name. */
export const presets: Readonly<Record<string, RunConfig>> = Object.fromEntries(
  [digits, mixture1d, uniformToNormal, mnistMlp, cifarDcgan, ring2d, grid2d]
    .map((preset) => [preset.preset, preset]),
);

/**
 * A copy of a preset, for the caller to change.
 * @throws {UserError} when there is no such preset
 */
export function presetConfig(name: string): RunConfig {
  if (Object.hasOwn(presets, name)) return structuredClone(presets[name]);
  const names = Object.keys(presets);
  throw new UserError(
    `Cannot find the preset ${name}${didYouMean(name, names)}: there are ${names.join(", ")}; ` +
      "a config file's name ends in .json",
  );
}
