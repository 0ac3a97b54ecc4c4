/** Single options of a config by path, as `--set` gives them. Every fault is one line that names the option. */
import { UserError } from "../errors.ts";
import { checkConfig, withLabels } from "./check_config.ts";
import { meantOption } from "./describe_issues.ts";
import {
  alternatives,
  childSchema,
  configSchema,
  isPart,
  isRecord,
  optionNames,
  type OptionSchema,
} from "./json_schema.ts";
import { isAnotherKind } from "./overrides.ts";
import type { RunConfig } from "./types.ts";

/** Options whose change leaves the others of their object to be checked. */
const DECIDING_OPTIONS = ["type", "source", "preset", "loss", "op"];

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Container = Record<string, Json> | Json[];

/**
 * A copy of `config` with options replaced.
 * @param assignments `path.to.option=value`; the value is JSON, or else text, and `null` removes an option;
 * paths go through objects and list positions, as in `generator.layers.0.units=64`. `conditional=true`
 * also gives the labels to networks that have no layer for them.
 * @throws {UserError} when an assignment has no `=`, its path leads nowhere, or the value does not fit
 */
export function withAssignments(config: RunConfig, assignments: readonly string[]): RunConfig {
  const copy = assignOptions(config, assignments, "gan");
  const origin = assignments.map((assignment) => `--set ${assignment}`).join(" ") || "the options";
  return withLabels(checkConfig(copy, origin));
}

/**
 * A copy of a config with options replaced, which is still to be checked.
 * @param kind whose options they are: those of a GAN's run, or of a model of several networks
 * @throws {UserError} when an assignment has no `=` or its path leads nowhere
 */
export function assignOptions(
  config: object,
  assignments: readonly string[],
  kind: "gan" | "model",
): Record<string, unknown> {
  const copy = structuredClone(config) as unknown as Record<string, Json>;
  const { root, modelRoot } = configSchema();
  for (const assignment of assignments) {
    const equals = assignment.indexOf("=");
    if (equals < 1) {
      throw new UserError(
        `Cannot use --set ${assignment}: expected path.to.option=value, such as batchSize=64`,
      );
    }
    const path = assignment.slice(0, equals);
    const value = parseValue(path, assignment.slice(equals + 1));
    assign(copy, path.split("."), { value, schema: kind === "gan" ? root : modelRoot });
  }
  return copy;
}

function assign(
  root: Record<string, Json>,
  path: string[],
  { value, schema: rootSchema }: { value: Json; schema: OptionSchema },
): void {
  let target: Container = root;
  let schema: OptionSchema | undefined = rootSchema;
  for (const [depth, key] of path.slice(0, -1).entries()) {
    const part: OptionSchema | undefined = schema && childSchema(schema, key, target);
    const child: Json | undefined = childOf(target, key) ?? created(target, key, part);
    if (child === undefined || child === null || typeof child !== "object") {
      throw new UserError(unknownPart(path, { depth, schema, target }));
    }
    target = child;
    schema = part;
  }
  const last = path[path.length - 1];
  if (last === "__proto__") throw new UserError(`Cannot set ${path.join(".")}: it is no option`);
  if (Array.isArray(target)) assignToList(target, path, value);
  else if (value === null) delete target[last];
  else {
    if (isAnotherKind(target, { [last]: value }, schema) && !DECIDING_OPTIONS.includes(last)) {
      for (const key of Object.keys(target)) delete target[key];
    }
    target[last] = value;
  }
}

function childOf(target: Container, key: string): Json | undefined {
  return Object.hasOwn(target, key) ? (target as Record<string, Json>)[key] : undefined;
}

/** A part or a list that the config leaves out, now empty, for what is assigned in it. */
function created(
  target: Container,
  key: string,
  schema: OptionSchema | undefined,
): Json | undefined {
  if (Array.isArray(target) || schema === undefined) return undefined;
  if (Object.hasOwn(target, key)) return undefined;
  if (isPart(schema)) target[key] = {};
  else if (alternatives(schema).every(({ type }) => type === "array")) target[key] = [];
  return target[key];
}

function assignToList(target: Json[], path: string[], value: Json): void {
  const last = path[path.length - 1];
  if (!(/^\d+$/.test(last) && Number(last) <= target.length)) {
    throw new UserError(
      `Cannot set ${path.join(".")}: ${
        path.slice(0, -1).join(".")
      } is a list of ${target.length}; ` +
        `expected a position from 0 to ${target.length}, which adds one, or the whole list as JSON`,
    );
  }
  if (value === null) target.splice(Number(last), 1);
  else target[Number(last)] = value;
}

/** Says that a path leads nowhere, and where it may have been meant to lead. */
function unknownPart(
  path: string[],
  { depth, schema, target }: {
    depth: number;
    schema: OptionSchema | undefined;
    target: Container;
  },
): string {
  const key = path[depth];
  const before = path.slice(0, depth);
  const known = schema && isRecord(target) ? optionNames(schema, target) : Object.keys(target);
  const meant = meantOption(key, { known, before: before.join(".") });
  const isThere = meant === [...before, key].join(".");
  const problem = isThere
    ? `${meant} has no options in it`
    : `there is no ${[...before, key].join(".")}`;
  const suggestion = meant === undefined || isThere ? "" : ` (did you mean ${meant}?)`;
  return `Cannot set ${path.join(".")}: ${problem}${suggestion}; ${
    before.join(".") || "a config"
  } has ${known.slice(0, 12).join(", ")}${known.length > 12 ? ", ... (docs/options.md)" : ""}`;
}

/** The value as JSON, or as text where it is no JSON and does not look like it. */
function parseValue(path: string, text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    if (!/^\s*[[{]/.test(text)) return text;
    const json = quoted(text);
    throw new UserError(
      `Cannot set ${path} to ${text}: in JSON, names and text stand in double quotes, as in ` +
        `'${path}=${json ?? '{"name":"hinge"}'}'`,
    );
  }
}

/** The text with names and words in quotes, if that makes JSON of it. */
function quoted(text: string): string | undefined {
  const words = text.replaceAll("'", '"')
    .replaceAll(/([{,]\s*)([A-Za-z_][\w-]*)(\s*:)/g, '$1"$2"$3')
    .replaceAll(
      /([:[,]\s*)(?!(?:true|false|null)\s*[,}\]])([A-Za-z_][\w.@-]*)(?=\s*[,}\]])/g,
      '$1"$2"',
    );
  try {
    return JSON.stringify(JSON.parse(words));
  } catch {
    return undefined;
  }
}
