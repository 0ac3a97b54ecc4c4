/** From a value of unknown origin to a checked config of a model of several networks. */
import { UserError } from "../errors.ts";
import { describeIssues } from "./describe_issues.ts";
import { configSchema } from "./json_schema.ts";
import { modelDraftSchema, modelRunSchema } from "./model_run.ts";
import type { ModelRunConfig } from "./types.ts";

/** A run of a model whose networks may still have to be made for its data. */
export type ModelRunDraft = Omit<ModelRunConfig, "model"> & Partial<Pick<ModelRunConfig, "model">>;

/**
 * Checks a config of a model.
 * @param origin names it in the message
 * @throws {UserError} with its faults on one line
 */
export function checkModelConfig(value: unknown, origin: string): ModelRunConfig {
  const result = modelRunSchema.safeParse(value);
  if (result.success) return result.data;
  const schema = configSchema().modelRoot;
  throw new UserError(`Cannot use ${origin}: ${describeIssues(result.error, { value, schema })}`);
}

/**
 * Checks a config whose networks may be missing.
 * @param origin names it in the message
 * @throws {UserError} with its faults on one line
 */
export function checkModelDraft(value: unknown, origin: string): ModelRunDraft {
  const result = modelDraftSchema.safeParse(value);
  if (result.success) return result.data;
  const schema = configSchema().modelRoot;
  throw new UserError(`Cannot use ${origin}: ${describeIssues(result.error, { value, schema })}`);
}
