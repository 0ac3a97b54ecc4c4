/** What is wrong with a config, in words: the checker's own say little of unions and misspelt names. */
import type { z } from "zod";
import { didYouMean } from "./nearest.ts";

/**
 * Every fault of a value on one line.
 * @param value what was checked, for the words that it has in place of known ones
 */
export function describeIssues({ issues }: z.ZodError, value: unknown): string {
  return issues.map((issue) => {
    const path = issue.path.join(".");
    const fault = describeFault(issue, valueAt(value, issue.path));
    return path ? `${path}: ${fault}` : fault;
  }).join("; ");
}

function describeFault(issue: z.core.$ZodIssue, found: unknown): string {
  if (issue.code === "invalid_value") return unknownWord(found, issue.values);
  if (issue.code !== "invalid_union") return issue.message;
  if ("options" in issue && Array.isArray(issue.options)) return unknownWord(found, issue.options);
  if (issue.errors.length === 0) return issue.message;
  const ways = issue.errors.map((faults) =>
    faults.map((fault) =>
      [...fault.path, describeFault(fault, valueAt(found, fault.path))].join(": ")
    ).join(", ")
  );
  return `it is none of what it may be (${ways.join(" | ")})`;
}

/** Names the nearest of the words that are known. */
function unknownWord(found: unknown, known: readonly unknown[]): string {
  const names = known.map(String);
  const all = `there ${names.length === 1 ? "is" : "are"} ${names.join(", ")}`;
  if (found === undefined) return `it is missing; ${all}`;
  if (typeof found !== "string") return `it is ${JSON.stringify(found)}; ${all}`;
  return `${JSON.stringify(found)} is not known${didYouMean(found, names)}; ${all}`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value as Record<PropertyKey, unknown> | null | undefined;
  for (const key of path) at = at?.[key] as typeof at;
  return at;
}
