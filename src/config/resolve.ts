/**
 * From what the user typed to a complete, checked {@linkcode RunConfig}: a preset or a config file,
 * then single options by path. Every fault is one line that names the option.
 */
import { UserError } from "../errors.ts";
import { conditionalVariant, hasLabelLayers } from "./conditional.ts";
import { describeIssues } from "./describe_issues.ts";
import { didYouMean } from "./nearest.ts";
import { type RunConfig, runConfigSchema } from "./run_config.ts";

/** Optional parts of a config that an assignment to something in them brings into being. */
const OPTIONAL_PARTS: readonly string[] = [
  "adaptive",
  "augment",
  "classification",
  "divergence",
  "dragan",
  "ema",
  "evaluation",
  "gradientPenalty",
  "instanceNoise",
  "learningRateSchedule",
  "r1",
  "r2",
];

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * Checks a config of unknown origin.
 * @param origin names it in the message: a file, or "the options"
 * @throws {UserError} with every fault, on one line; of another version, with what differs
 */
export function checkConfig(value: unknown, origin: string): RunConfig {
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version !== 1) {
    throw new UserError(
      `Cannot use ${origin}: it is a config of version ${version}, and this ganforge reads version 1; ` +
        differenceFromVersion1(value as object),
    );
  }
  const result = runConfigSchema.safeParse(value);
  if (result.success) return result.data;
  throw new UserError(`Cannot use ${origin}: ${describeIssues(result.error, value)}`);
}

/** What of a config of another version stands in the way of reading it as one of this. */
function differenceFromVersion1(value: object): string {
  const result = runConfigSchema.safeParse({ ...value, version: 1 });
  return result.success
    ? "nothing else in it differs: with version 1 it can be used"
    : `what differs: ${describeIssues(result.error, value)}`;
}

/**
 * A copy of `config` with options replaced.
 * @param assignments `path.to.option=value`; the value is JSON, or else text; paths go through objects
 * and list positions, as in `generator.layers.0.units=64`. `conditional=true` also gives the labels to
 * networks that have no layer for them.
 * @throws {UserError} when an assignment has no `=`, or its path leads nowhere
 */
export function withAssignments(config: RunConfig, assignments: readonly string[]): RunConfig {
  const copy = structuredClone(config) as unknown as Record<string, Json>;
  for (const assignment of assignments) {
    const equals = assignment.indexOf("=");
    if (equals < 1) {
      throw new UserError(
        `Cannot use --set ${assignment}: expected path.to.option=value, such as batchSize=64`,
      );
    }
    assign(copy, assignment.slice(0, equals).split("."), parseValue(assignment.slice(equals + 1)));
  }
  const origin = assignments.map((assignment) => `--set ${assignment}`).join(" ") || "the options";
  const changed = checkConfig(copy, origin);
  return changed.conditional && !hasLabelLayers(changed) ? conditionalVariant(changed) : changed;
}

function assign(root: Record<string, Json>, path: string[], value: Json): void {
  let target: Json = root;
  for (const [depth, key] of path.slice(0, -1).entries()) {
    const parent = target as Record<string, Json>;
    if (!Object.hasOwn(parent, key) && OPTIONAL_PARTS.includes(key)) parent[key] = {};
    const child: Json | undefined = Object.hasOwn(parent, key) ? parent[key] : undefined;
    if (child === undefined || child === null || typeof child !== "object") {
      const known = Object.keys(parent);
      throw new UserError(
        `Cannot set ${path.join(".")}: there is no ${path.slice(0, depth + 1).join(".")}` +
          `${didYouMean(key, known)}; ${path.slice(0, depth).join(".") || "a config"} has ${
            known.join(", ")
          }`,
      );
    }
    target = child;
  }
  const last = path[path.length - 1];
  if (Array.isArray(target) && !(/^\d+$/.test(last) && Number(last) <= target.length)) {
    throw new UserError(
      `Cannot set ${path.join(".")}: ${
        path.slice(0, -1).join(".")
      } is a list of ${target.length}; ` +
        `expected a position from 0 to ${target.length}, which adds one, or the whole list as JSON`,
    );
  }
  if (last === "__proto__") throw new UserError(`Cannot set ${path.join(".")}: it is no option`);
  if (value === null && Array.isArray(target)) target.splice(Number(last), 1);
  else if (value === null) delete (target as Record<string, Json>)[last];
  else (target as Record<string, Json>)[last] = value;
}

function parseValue(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** The options in which two configs differ, as `path: old -> new`; what is not there is "none". */
export function configDifferences(before: unknown, after: unknown, path = ""): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const isBranch = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isBranch(before) || !isBranch(after)) {
    const text = (value: unknown) => value === undefined ? "none" : JSON.stringify(value);
    return [`${path}: ${text(before)} -> ${text(after)}`];
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) =>
    configDifferences(before[key], after[key], path ? `${path}.${key}` : key)
  );
}
