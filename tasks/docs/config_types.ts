/** Writes src/config/types.ts: the types of a config with their comments, from the schema. */
import {
  configSchema,
  type OptionSchema,
  rangeText,
  refName,
  resolved,
  sharedLayerOptions,
} from "../../src/config/json_schema.ts";

const HEADER = `/**
 * The types of a config.
 *
 * Written by \`deno task docs\` from the schemas beside this file: change those, not this. A test compares
 * the two, and tests/config/types_test.ts holds each type against what its schema infers.
 */
`;

/** Columns of a comment's line, after its indentation. */
const WIDTH = 92;

/** The text of the file, before formatting. */
export function configTypes(): string {
  const { definitions } = configSchema();
  const shared = sharedLayerOptions();
  const all = { ...definitions, ...shared };
  const names = Object.keys(all).filter((name) => !name.startsWith("__")).sort();
  return HEADER + names.map((name) => `\n${declaration(name, all[name], shared)}`).join("");
}

function declaration(
  name: string,
  schema: OptionSchema,
  shared: Record<string, OptionSchema>,
): string {
  const words = Object.entries(schema.words ?? {}).map(([word, meaning]) =>
    `- \`${word}\`: ${meaning}`
  );
  const text = [comment(schema.description ?? "", { indent: "", lines: words })];
  if (!schema.properties) {
    return `${text}export type ${name} = ${typeText(schema)};\n`;
  }
  const base = baseOf(name, schema, shared);
  const inherited = base === undefined ? {} : shared[base].properties!;
  const own = Object.keys(schema.properties).filter((key) => !Object.hasOwn(inherited, key));
  const extension = base === undefined ? "" : ` extends ${base}`;
  return `${text}export interface ${name}${extension} {\n${members(schema, own)}}\n`;
}

/** The shared options, all of which an object has: the larger of two. */
function baseOf(
  name: string,
  { properties = {} }: OptionSchema,
  shared: Record<string, OptionSchema>,
): string | undefined {
  const fitting = Object.entries(shared).filter(([base, { properties: options = {} }]) =>
    base !== name &&
    Object.entries(options).every(([key, option]) =>
      JSON.stringify(properties[key]) === JSON.stringify(option)
    )
  );
  fitting.sort(([, a], [, b]) =>
    Object.keys(b.properties!).length - Object.keys(a.properties!).length
  );
  return fitting[0]?.[0];
}

function members({ properties = {}, required = [] }: OptionSchema, keys: string[]): string {
  return keys.map((key) => {
    const option = properties[key];
    const mark = required.includes(key) ? "" : "?";
    return `${comment(optionText(option), { indent: "  " })}  ${key}${mark}: ${
      typeText(option)
    };\n`;
  }).join("");
}

/** An option's meaning, default and range. */
function optionText(option: OptionSchema): string {
  const range = rangeText(resolved(option));
  const fallback = option.default !== undefined
    ? ` Default: ${JSON.stringify(option.default)}.`
    : option.otherwise !== undefined
    ? ` Default: ${option.otherwise}.`
    : "";
  return (option.description ?? "") + fallback + (range ? ` Range: ${range}.` : "");
}

function typeText(schema: OptionSchema): string {
  if (schema.$ref !== undefined) {
    const name = refName(schema.$ref);
    return name.startsWith("__") ? typeText(configSchema().definitions[name]) : name;
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(typeText).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(" | ");
  if (schema.prefixItems) return `[${schema.prefixItems.map(typeText).join(", ")}]`;
  if (schema.items) {
    const item = typeText(schema.items);
    return /^\w+$/.test(item) ? `${item}[]` : `(${item})[]`;
  }
  if (schema.additionalProperties) {
    return `Record<string, ${typeText(schema.additionalProperties)}>`;
  }
  if (schema.properties) return `{\n${members(schema, Object.keys(schema.properties))}}`;
  return schema.type === "integer" ? "number" : schema.type!;
}

/** A doc comment, broken into lines. */
function comment(
  text: string,
  { indent, lines = [] }: { indent: string; lines?: string[] },
): string {
  const broken = wrapped(text);
  if (lines.length) broken.push("", ...lines.flatMap((line) => wrapped(line, "  ")));
  if (broken.length === 1) return `${indent}/** ${broken[0]} */\n`;
  const body = broken.map((line) => `${indent} *${line ? ` ${line}` : ""}\n`).join("");
  return `${indent}/**\n${body}${indent} */\n`;
}

function wrapped(text: string, hanging = ""): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 1 <= WIDTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(lines.length ? hanging + word : word);
  }
  return lines;
}
