/** From a value of unknown origin to a checked config: a complete one, or a preset with overrides. */
import { UserError } from "../errors.ts";
import { conditionalVariant, hasLabelLayers } from "./conditional.ts";
import { dataSchema } from "./data.ts";
import { describeIssues } from "./describe_issues.ts";
import { configSchema, isRecord } from "./json_schema.ts";
import { withOverrides } from "./overrides.ts";
import { presetConfig } from "./presets/mod.ts";
import { runConfigSchema } from "./run_config.ts";
import type { DataSpec, RunConfig } from "./types.ts";

/**
 * Checks a config. One with a `version` is complete; one without is a preset and what differs from it, as
 * in `{ preset: "digits", duration: { steps: 500 }, ema: null }`: parts are merged, lists replaced, `null`
 * removes an option, and `conditional: true` also gives the labels to networks that have no layer for
 * them.
 * @param origin names it in the message: a file, or "the options"
 * @throws {UserError} with its faults on one line; of another version, with what differs
 */
export function checkConfig(value: unknown, origin: string): RunConfig {
  if (!isRecord(value)) {
    throw new UserError(
      `Cannot use ${origin}: a config is an object of options, as in {"preset": "digits"}`,
    );
  }
  if (value.version === undefined) return configOfPreset(value, origin);
  if (typeof value.version === "number" && value.version !== 1) {
    throw new UserError(
      `Cannot use ${origin}: it is a config of version ${value.version}, and this ganforge reads version ` +
        `1; ${differenceFromVersion1(value)}`,
    );
  }
  return checkComplete(value, origin);
}

function checkComplete(value: Record<string, unknown>, origin: string): RunConfig {
  const result = runConfigSchema.safeParse(value);
  if (result.success) return result.data;
  const faults = describeIssues(result.error, { value });
  const isIncomplete = result.error.issues.some(({ path }) =>
    path.length === 1 && value[String(path[0])] === undefined
  );
  const advice = isIncomplete && value.version !== undefined
    ? "; without its version it would take what is missing from its preset"
    : "";
  throw new UserError(`Cannot use ${origin}: ${faults}${advice}`);
}

function configOfPreset(value: Record<string, unknown>, origin: string): RunConfig {
  const { preset, ...overrides } = value;
  if (typeof preset !== "string") {
    throw new UserError(
      `Cannot use ${origin}: it has no version, so it must name the preset that it changes, as in ` +
        '{"preset": "digits"}',
    );
  }
  const config = checkComplete(withOverrides(presetConfig(preset), overrides), origin);
  return withLabels(config);
}

/** A conditional config with networks that take labels. */
export function withLabels(config: RunConfig): RunConfig {
  return config.conditional && !hasLabelLayers(config) ? conditionalVariant(config) : config;
}

/** Lists the fields that keep another version's config from being read as version 1. */
function differenceFromVersion1(value: Record<string, unknown>): string {
  const candidate = { ...value, version: 1 };
  const result = runConfigSchema.safeParse(candidate);
  return result.success
    ? "nothing else in it differs: with version 1 it can be used"
    : `what differs: ${describeIssues(result.error, { value: candidate })}`;
}

/**
 * Checks the data of a config.
 * @throws {UserError} with its faults on one line
 */
export function checkData(spec: DataSpec): void {
  const result = dataSchema.safeParse(spec);
  if (result.success) return;
  const schema = configSchema().definitions.DataSpec;
  const faults = describeIssues(result.error, { value: spec, schema, path: "data" });
  throw new UserError(`Cannot use the data options: ${faults}`);
}
