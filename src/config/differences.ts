/** What differs between two configs. */
import { isRecord } from "./json_schema.ts";

/** The options in which two configs differ, as `path: old -> new`; what is not there is "none". */
export function configDifferences(before: unknown, after: unknown, path = ""): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (!isRecord(before) || !isRecord(after)) {
    const text = (value: unknown) => value === undefined ? "none" : JSON.stringify(value);
    return [`${path}: ${text(before)} -> ${text(after)}`];
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) =>
    configDifferences(before[key], after[key], path ? `${path}.${key}` : key)
  );
}
