/**
 * The schema of a config as plain data (JSON Schema): what is known of an option at a path. Messages,
 * `--set`, presets with overrides, docs/options.md and the types all read it, so an option stands once.
 */
import { z } from "zod";
import { SHARED_LAYER_SCHEMAS } from "./layers.ts";
import { modelRunSchema } from "./model_run.ts";
import { runConfigSchema } from "./run_config.ts";

/** What is known of an option; of JSON Schema's words those that the configs use, and our own. */
export interface OptionSchema {
  $ref?: string;
  type?: "object" | "array" | "string" | "number" | "integer" | "boolean";
  properties?: Record<string, OptionSchema>;
  /** Of a record: what each of its values is. */
  additionalProperties?: OptionSchema | false;
  required?: string[];
  items?: OptionSchema | false;
  prefixItems?: OptionSchema[];
  minItems?: number;
  anyOf?: OptionSchema[];
  oneOf?: OptionSchema[];
  const?: string | number;
  enum?: string[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  pattern?: string;
  minLength?: number;
  /** The meaning, in sentences. */
  description?: string;
  /** The value where the option is left out. */
  default?: unknown;
  /** What holds where the option is left out, in words. */
  otherwise?: string;
  /** What each word of an enumeration means. */
  words?: Record<string, string>;
}

/** The schemas of whole configs, and the definitions that they refer to, by the names of their types. */
interface ConfigSchemas {
  /** Of a GAN's run. */
  root: OptionSchema;
  /** Of a run of a model of several networks. */
  modelRoot: OptionSchema;
  definitions: Record<string, OptionSchema>;
}

let known: ConfigSchemas | undefined;

/** What is known of configs. */
export function configSchema(): ConfigSchemas {
  if (known) return known;
  const [gan, model] = [runConfigSchema, modelRunSchema].map((schema) => {
    const { $defs = {}, ...root } = z.toJSONSchema(schema) as OptionSchema & {
      $defs?: Record<string, OptionSchema>;
    };
    return { root, definitions: $defs };
  });
  known = {
    root: gan.root,
    modelRoot: model.root,
    definitions: { ...model.definitions, ...gan.definitions },
  };
  return known;
}

/** What layers have in common, by the names of the types. */
export function sharedLayerOptions(): Record<string, OptionSchema> {
  return Object.fromEntries(SHARED_LAYER_SCHEMAS.map((schema) => {
    const { $ref, $defs } = z.toJSONSchema(schema) as {
      $ref: string;
      $defs: Record<string, OptionSchema>;
    };
    const name = refName($ref);
    return [name, $defs[name]];
  }));
}

/** The name at the end of a reference. */
export function refName(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

/** Follows references; a description beside one stays. */
export function resolved(schema: OptionSchema): OptionSchema {
  if (schema.$ref === undefined) return schema;
  const { $ref, ...beside } = schema;
  return { ...resolved(configSchema().definitions[refName($ref)]), ...beside };
}

/** The alternatives of a union, or the schema itself. */
export function alternatives(schema: OptionSchema): OptionSchema[] {
  const { anyOf, oneOf } = resolved(schema);
  return (anyOf ?? oneOf)?.flatMap(alternatives) ?? [resolved(schema)];
}

/** The option that distinguishes the objects of a union, such as `type`. */
function discriminatorOf(choices: readonly OptionSchema[]): string | undefined {
  if (choices.length < 2) return undefined;
  const names = Object.keys(choices[0].properties ?? {});
  return names.find((name) =>
    choices.every(({ properties }) => {
      return properties?.[name] && resolved(properties[name]).const !== undefined;
    })
  );
}

/**
 * The alternatives that an object may be meant as: the one that its discriminator names, those that
 * have all of its keys, or else all.
 */
function objectChoices(schema: OptionSchema, value: unknown): OptionSchema[] {
  const choices = alternatives(schema).filter(({ properties }) => properties !== undefined);
  const discriminator = discriminatorOf(choices);
  const record = isRecord(value) ? value : {};
  if (discriminator !== undefined) {
    const chosen = choices.filter(({ properties }) =>
      resolved(properties![discriminator]).const === record[discriminator]
    );
    return chosen.length ? chosen : choices;
  }
  const fitting = choices.filter(({ properties }) =>
    Object.keys(record).every((key) => Object.hasOwn(properties!, key))
  );
  return fitting.length ? fitting : choices;
}

/**
 * The schema of the option `key` of an object or a list.
 * @param schema of the object or list
 * @param value the object itself, which decides where there are alternatives
 */
export function childSchema(
  schema: OptionSchema,
  key: string,
  value?: unknown,
): OptionSchema | undefined {
  for (const choice of objectChoices(schema, value)) {
    if (Object.hasOwn(choice.properties!, key)) return choice.properties![key];
  }
  for (const { additionalProperties } of alternatives(schema)) {
    if (additionalProperties) return additionalProperties;
  }
  if (!/^\d+$/.test(key)) return undefined;
  for (const { items, prefixItems } of alternatives(schema)) {
    const item = prefixItems?.[Number(key)] ?? items;
    if (item) return item;
  }
  return undefined;
}

/** The names of the options that an object may have, required ones first. */
export function optionNames(schema: OptionSchema, value?: unknown): string[] {
  const names = objectChoices(schema, value).flatMap(({ properties = {} }) =>
    Object.keys(properties)
  );
  return [...new Set(names)];
}

/** Whether an option is an object with options of its own, and nothing else. */
export function isPart(schema: OptionSchema): boolean {
  return alternatives(schema).every(({ properties }) => properties !== undefined);
}

/** Whether a value is an object with keys. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An option's range: "1 or more", "above 0, up to 1"; "" where it has none. */
export function rangeText(schema: OptionSchema): string {
  const { exclusiveMinimum, exclusiveMaximum } = schema;
  const whole = schema.type === "integer";
  const minimum = whole && exclusiveMinimum !== undefined
    ? Math.max(exclusiveMinimum + 1, schema.minimum ?? -Infinity)
    : bounded(schema.minimum);
  const maximum = bounded(schema.maximum);
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  const parts = [
    minimum !== undefined
      ? `${minimum} or more`
      : exclusiveMinimum !== undefined
      ? `above ${exclusiveMinimum}`
      : "",
    maximum !== undefined
      ? `up to ${maximum}`
      : exclusiveMaximum !== undefined
      ? `below ${exclusiveMaximum}`
      : "",
  ];
  return parts.filter(Boolean).join(", ");
}

/** A bound that means something: the limits of whole numbers of JavaScript do not. */
function bounded(limit: number | undefined): number | undefined {
  return limit !== undefined && Math.abs(limit) < Number.MAX_SAFE_INTEGER ? limit : undefined;
}

/** What an option may be, in a few words: "a whole number, 1 or more", "auto, webgpu or cpu". */
export function expectedText(schema: OptionSchema): string {
  const texts = alternatives(schema).map((choice) => {
    if (choice.const !== undefined) return String(choice.const);
    if (choice.enum) return choice.enum.length > 6 ? "a known name" : choice.enum.join(", ");
    if (choice.properties) {
      const names = choice.required ?? [];
      return names.length && names.length < 4 ? `{ ${names.join(", ")} }` : "an object";
    }
    if (choice.prefixItems) return `a list of ${choice.prefixItems.length} numbers`;
    if (choice.type === "array") return "a list";
    const range = rangeText(choice);
    const kind = { integer: "a whole number", number: "a number", boolean: "true or false" };
    return [kind[choice.type as keyof typeof kind] ?? "text", range].filter(Boolean).join(", ");
  });
  return [...new Set(texts)].join(" or ");
}
