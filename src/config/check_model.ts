/** From a value of unknown origin to a checked config of a model of several networks. */
import { UserError } from "../errors.ts";
import { describeIssues } from "./describe_issues.ts";
import { configSchema } from "./json_schema.ts";
import { modelRunSchema } from "./model_run.ts";
import type { ModelRunConfig } from "./types.ts";

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
