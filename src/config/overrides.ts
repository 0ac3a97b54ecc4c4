/** A preset and what differs from it, merged. */
import { UserError } from "../errors.ts";
import {
  alternatives,
  childSchema,
  configSchema,
  isRecord,
  type OptionSchema,
} from "./json_schema.ts";
import type { RunConfig } from "./types.ts";

/** Options that decide which others an object has: a new value replaces the whole object. */
const DECIDING = ["type", "source"];

/**
 * A copy of a config with options replaced. Objects are merged, unless the change makes another kind of
 * them (`duration`, the `type` of an optimizer, the `source` of data); lists are replaced; `null` removes
 * an option.
 * @returns a value to be checked
 * @throws {UserError} for the name `__proto__`
 */
export function withOverrides(
  config: RunConfig,
  overrides: Record<string, unknown>,
): Record<string, unknown> {
  const copy = structuredClone(config) as unknown as Record<string, unknown>;
  return merged(copy, overrides, configSchema().root);
}

function merged(
  base: Record<string, unknown>,
  change: Record<string, unknown>,
  schema: OptionSchema | undefined,
): Record<string, unknown> {
  const result = isAnotherKind(base, change, schema) ? {} : { ...base };
  for (const [key, value] of Object.entries(change)) {
    if (key === "__proto__") throw new UserError("Cannot set __proto__: it is no option");
    const before = Object.hasOwn(result, key) ? result[key] : undefined;
    if (value === null) delete result[key];
    else if (isRecord(value)) {
      const part = schema && childSchema(schema, key, result);
      result[key] = merged(isRecord(before) ? before : {}, value, part);
    } else result[key] = structuredClone(value);
  }
  return result;
}

/** Whether a change makes something else of an object, so that the options it had mean nothing. */
export function isAnotherKind(
  base: Record<string, unknown>,
  change: Record<string, unknown>,
  schema: OptionSchema | undefined,
): boolean {
  const decides = (key: string): boolean =>
    change[key] !== undefined && base[key] !== undefined && change[key] !== base[key];
  if (DECIDING.some(decides)) return true;
  const choices = schema ? alternatives(schema).filter(({ properties }) => properties) : [];
  const fits = (keys: string[]): boolean =>
    choices.some(({ properties }) => keys.every((key) => Object.hasOwn(properties!, key)));
  const keys = Object.keys(change);
  return choices.length > 1 && fits(keys) && !fits([...Object.keys(base), ...keys]);
}
