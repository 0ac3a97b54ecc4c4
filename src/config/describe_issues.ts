/** What is wrong with a config, in one line: an unknown name first, with the one that was meant. */
import type { z } from "zod";
import {
  alternatives,
  childSchema,
  configSchema,
  expectedText,
  isRecord,
  optionNames,
  type OptionSchema,
  resolved,
} from "./json_schema.ts";
import { didYouMean, nearestName, sameName } from "./nearest.ts";

type Issue = z.core.$ZodIssue;

/** A list of faults never gets longer; what is left out is counted. */
const MAX_LENGTH = 280;
/** Lists of known names are shortened to this. */
const MAX_NAMES_LENGTH = 110;
const MAX_VALUE_LENGTH = 40;

/** What was checked, and against what. */
export interface CheckedValue {
  value: unknown;
  /** The schema of `value`; default: of a whole config. */
  schema?: OptionSchema;
  /** The option that `value` is, such as `data`; default: a whole config. */
  path?: string;
}

/** The faults of a value on one line of less than 300 characters, the most telling ones first. */
export function describeIssues({ issues }: z.ZodError, checked: CheckedValue): string {
  const unknown = issues.filter(({ code }) => code === "unrecognized_keys");
  const missing = issues.filter((issue) => isMissing(issue, checked));
  const others = issues.filter((issue) => !unknown.includes(issue) && !missing.includes(issue));
  return joined([
    ...unknown.flatMap((issue) => describeUnknown(issue, checked, { isOnly: issues.length === 1 })),
    ...others.map((issue) => describeFault(issue, checked)),
    ...(missing.length ? [describeMissing(missing, checked)] : []),
  ]);
}

/** Joins faults up to a length. */
function joined(faults: readonly string[]): string {
  let text = shortened(faults[0], MAX_LENGTH);
  for (const [index, fault] of faults.entries()) {
    if (index === 0) continue;
    if (text.length + fault.length + 2 > MAX_LENGTH) {
      return `${shortened(text, MAX_LENGTH)}; and ${faults.length - index} more`;
    }
    text += `; ${fault}`;
  }
  return text;
}

/** @param isOnly whether there is no other fault, so that the known options can be listed */
function describeUnknown(
  issue: Issue,
  checked: CheckedValue,
  { isOnly }: { isOnly: boolean },
): string[] {
  if (issue.code !== "unrecognized_keys") return [];
  const { schema, value } = at(issue.path, checked);
  const known = schema ? optionNames(schema, value) : [];
  return issue.keys.map((key) => {
    const name = pathText([...issue.path, key], checked);
    const meant = meantOption(key, { known, before: pathText(issue.path, checked) });
    if (meant === name) {
      const { type } = isRecord(value) ? value : {};
      return `${name} does not go with ${
        type === undefined ? "the other options" : type
      }: remove it`;
    }
    if (meant !== undefined) return `there is no option ${name} (did you mean ${meant}?)`;
    return `there is no option ${name}${isOnly ? `; there are ${nameList(known)}` : ""}`;
  });
}

/**
 * The path of the option that was probably meant: the same name beside the unknown one or anywhere in a
 * config, or else a near one.
 * @param known the options beside it
 * @param before their path
 */
export function meantOption(
  key: string,
  { known, before }: { known: readonly string[]; before: string },
): string | undefined {
  const elsewhere = optionPaths();
  const names = [...elsewhere.keys()];
  for (const find of [sameName, nearestName]) {
    const beside = find(key, known);
    if (beside !== undefined) return before ? `${before}.${beside}` : beside;
    const other = find(key, names);
    if (other !== undefined) return elsewhere.get(other);
  }
  return undefined;
}

/** The first path of each option of a config, outside of layers, by the option's name. */
function optionPaths(): Map<string, string> {
  const paths = new Map<string, string>();
  const visit = (schema: OptionSchema, path: string): void => {
    for (const choice of alternatives(schema)) {
      for (const [key, option] of Object.entries(choice.properties ?? {})) {
        if (!paths.has(key)) paths.set(key, path + key);
        visit(option, `${path}${key}.`);
      }
    }
  };
  visit(configSchema().root, "");
  return paths;
}

function isMissing(issue: Issue, checked: CheckedValue): boolean {
  const isAbsent = issue.code === "invalid_type" || issue.code === "invalid_value" ||
    issue.code === "invalid_union";
  if (!isAbsent || issue.path.length === 0) return false;
  const { value } = at(issue.path.slice(0, -1), checked);
  return isRecord(value) && value[String(issue.path.at(-1))] === undefined;
}

/** The options that are missing; of a word also what it may be. */
function describeMissing(issues: readonly Issue[], checked: CheckedValue): string {
  const names = issues.map(({ path }) => pathText(path, checked));
  if (names.length > 1) return `missing: ${nameList(names)}`;
  const { schema } = at(issues[0].path, checked);
  const words = schema ? wordsOf(schema, issues[0]) : [];
  const choices = words.length
    ? `there ${words.length === 1 ? "is" : "are"} ${nameList(words)}`
    : schema
    ? `expected ${expectedText(schema)}`
    : "";
  return `${names[0]}: it is missing; ${choices}`;
}

/** The words that an option may be. */
function wordsOf(schema: OptionSchema, issue?: Issue): string[] {
  if (issue && "options" in issue && Array.isArray(issue.options)) return issue.options.map(String);
  return alternatives(schema).flatMap((choice) =>
    choice.enum ?? (typeof choice.const === "string" ? [choice.const] : [])
  );
}

function describeFault(issue: Issue, checked: CheckedValue): string {
  const { schema, value } = at(issue.path, checked);
  const path = pathText(issue.path, checked);
  const prefix = path ? `${path}: ` : "";
  if (issue.code === "custom" || !schema) return prefix + issue.message;
  const words = wordsOf(schema, issue);
  if (words.length && typeof value === "string") {
    const list = `there ${words.length === 1 ? "is" : "are"} ${nameList(words)}`;
    return `${prefix}${show(value)} is not known${didYouMean(value, words)}; ${list}`;
  }
  if (issue.code === "invalid_union") {
    const inner = faultsOfMeant(issue, value);
    if (inner) {
      const faults = inner.map((fault) => ({ ...fault, path: [...issue.path, ...fault.path] }));
      return joined(faults.map((fault) => describeFault(fault as Issue, checked)));
    }
  }
  const format = issue.code === "invalid_format" && resolved(schema).pattern;
  const expected = format
    ? `text of the form ${format}`
    : words.length
    ? nameList(words)
    : lengthText(issue) ?? expectedText(schema);
  return `${prefix}expected ${expected}, found ${show(value)}`;
}

/** How long a list or a text must be. */
function lengthText(issue: Issue): string | undefined {
  if (issue.code !== "too_small" && issue.code !== "too_big") return undefined;
  if (issue.origin !== "array" && issue.origin !== "string") return undefined;
  const unit = issue.origin === "array" ? "entries" : "characters";
  if (issue.code === "too_big") return `at most ${issue.maximum} ${unit}`;
  return Number(issue.minimum) === 1
    ? `${issue.origin === "array" ? "a list" : "text"} that is not empty`
    : `at least ${issue.minimum} ${unit}`;
}

/** The faults of the alternative that a value is meant as, if that is clear. */
function faultsOfMeant(
  issue: Extract<Issue, { code: "invalid_union" }>,
  value: unknown,
): Issue[] | undefined {
  const typed = issue.errors.filter((faults) =>
    faults.every(({ code, path }) =>
      code !== "unrecognized_keys" &&
      (path.length > 0 || code === "too_small" || code === "too_big")
    )
  );
  const isMeant = (faults: readonly Issue[]) =>
    !isRecord(value) || faults.every(({ path }) => Object.hasOwn(value, String(path[0])));
  return typed.length === 1 && isMeant(typed[0]) ? typed[0] : undefined;
}

/** The value at a path and its schema. */
function at(
  path: readonly PropertyKey[],
  checked: CheckedValue,
): { schema: OptionSchema | undefined; value: unknown } {
  let schema: OptionSchema | undefined = checked.schema ?? configSchema().root;
  let value = checked.value;
  for (const key of path) {
    schema = schema && childSchema(schema, String(key), value);
    const hasKey = typeof value === "object" && value !== null && Object.hasOwn(value, key);
    value = hasKey ? (value as Record<PropertyKey, unknown>)[key] : undefined;
  }
  return { schema, value };
}

function pathText(path: readonly PropertyKey[], { path: base }: CheckedValue): string {
  const keys = path.map((key) => shortened(String(key), MAX_VALUE_LENGTH));
  return shortened([...(base ? [base] : []), ...keys].join("."), 2 * MAX_VALUE_LENGTH);
}

/** Names separated by commas, as many as a line has room for. */
function nameList(names: readonly string[]): string {
  const shown: string[] = [];
  let length = 0;
  for (const name of names) {
    length += name.length + 2;
    if (shown.length && length > MAX_NAMES_LENGTH) break;
    shown.push(name);
  }
  const rest = names.length - shown.length;
  return shown.join(", ") + (rest ? ` and ${rest} more (docs/options.md)` : "");
}

function show(value: unknown): string {
  return value === undefined
    ? "nothing"
    : shortened(JSON.stringify(value) ?? String(value), MAX_VALUE_LENGTH);
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}
