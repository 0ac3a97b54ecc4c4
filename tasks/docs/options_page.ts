/** Writes docs/options.md: every option of a config with type, range, default and meaning. */
import {
  alternatives,
  configSchema,
  isPart,
  type OptionSchema,
  rangeText,
  refName,
  resolved,
  sharedLayerOptions,
} from "../../src/config/json_schema.ts";

const HEADER = `# Every option of a config

Written by \`deno task docs\` from the schema in \`src/config\`; a test compares the two.

An option is set in a config file, by \`--set PATH=VALUE\`, or in a program. A value of \`--set\` is JSON or
text; \`null\` removes an option; positions count layers from 0:

    deno task train --set batchSize=64 --set objective.r1.gamma=1
    deno task train --set generator.layers.0.units=128 --set ema=null
    deno task train --set 'objective={"name":"hinge"}'

A config file is either complete, as the \`config.json\` of every run is, or a preset and what differs from
it; it has no \`version\` then:

    { "preset": "digits", "duration": { "steps": 500 }, "ema": null }

Options without a default are required in a complete config, unless the table says "optional".
`;

/** The text of the page. */
export function optionsPage(): string {
  const { root } = configSchema();
  const { properties = {}, required = [] } = resolved(root);
  const plain: Row[] = [];
  const sections: string[] = [];
  const seen = new Map<string, number>();
  for (const [name, option] of Object.entries(properties)) {
    const choices = alternatives(option);
    if (choices.every((choice) => choice.properties === undefined)) {
      plain.push(row(name, option, required.includes(name)));
      continue;
    }
    const type = option.$ref && refName(option.$ref);
    const twin = type === undefined ? undefined : seen.get(type);
    if (twin !== undefined) {
      sections[twin] = sections[twin].replace(/^(## .*)$/m, `$1, \`${name}\``);
      continue;
    }
    if (type !== undefined) seen.set(type, sections.length);
    sections.push(section(name, option, required.includes(name)));
  }
  return [
    HEADER,
    "## The run",
    table(plain),
    ...sections,
    layerSections(),
    modelSections(),
    wordSections(),
  ]
    .join("\n\n").replaceAll(/\n{3,}/g, "\n\n").trimEnd() + "\n";
}

/** Option, type, range, default, meaning. */
type Row = [string, string, string, string, string];

function section(name: string, option: OptionSchema, isRequired: boolean): string {
  const { otherwise } = option;
  const status = isRequired ? "" : ` Optional${otherwise ? `; by default ${otherwise}` : ""}.`;
  const type = option.$ref && configSchema().definitions[refName(option.$ref)];
  const intro = ((type || option).description ?? "") + status;
  const choices = alternatives(option);
  if (choices.length === 1) {
    const base = repeats(option) ? "" : `${name}.`;
    return `## \`${name}\`\n\n${intro}\n\n${table(rowsOf(choices[0], base))}`;
  }
  const kindOf = ({ properties }: OptionSchema) => resolved(properties!.type ?? {}).const;
  if (choices.every((choice) => kindOf(choice) === undefined)) {
    const rows = choices.flatMap((choice) => rowsOf(choice, `${name}.`));
    return `## \`${name}\`\n\n${intro} One of these:\n\n${table(rows)}`;
  }
  const parts = choices.map((choice) =>
    `### \`type\`: \`"${kindOf(choice)}"\`\n\n${choice.description ?? ""}\n\n` +
    table(rowsOf(choice, ""))
  );
  return `## \`${name}\`\n\n${intro}\n\n${parts.join("\n\n")}`;
}

/** Whether more than one option of a config has this type, so that its rows serve both. */
function repeats(option: OptionSchema): boolean {
  const { properties = {} } = resolved(configSchema().root);
  return option.$ref !== undefined &&
    Object.values(properties).filter(({ $ref }) => $ref === option.$ref).length > 1;
}

/** The rows of an object's options, those of objects inside it after them. */
function rowsOf({ properties = {}, required = [] }: OptionSchema, base: string): Row[] {
  return Object.entries(properties)
    .filter(([name]) => !(name === "type" && resolved(properties[name]).const !== undefined))
    .flatMap(([name, option]): Row[] => {
      const own = row(base + name, option, required.includes(name));
      const { items } = resolved(option);
      const [part, path] = items ? [items, `${base}${name}.0.`] : [option, `${base}${name}.`];
      if (!isPart(part) || alternatives(part).length > 1) return [own];
      return [own, ...rowsOf(resolved(part), path)];
    });
}

function row(path: string, option: OptionSchema, isRequired: boolean): Row {
  const fallback = option.default !== undefined
    ? code(JSON.stringify(option.default))
    : option.otherwise ?? (isRequired ? "" : "optional");
  const choices = alternatives(option);
  const ranges = [...new Set(choices.map(rangeText).filter(Boolean))];
  return [code(path), typeName(option), ranges.join("; "), fallback, option.description ?? ""];
}

function typeName(option: OptionSchema): string {
  const schema = resolved(option);
  if (schema.words) return `[a name](#${anchor(refName(option.$ref ?? ""))})`;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices && option.$ref?.endsWith("LayerSpec")) return "[a layer](#layers)";
  if (choices) return [...new Set(choices.map(typeName))].join(" or ");
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum) return schema.enum.map((word) => code(JSON.stringify(word))).join(", ");
  if (schema.prefixItems) return `list of ${schema.prefixItems.length} numbers`;
  if (schema.items) return `list: ${typeName(schema.items)}`;
  if (schema.properties) return "object";
  return { integer: "integer", number: "number", boolean: "true or false" }[
    schema.type as string
  ] ?? "text";
}

/** The options of runs of several networks that a GAN's run does not have. */
function modelSections(): string {
  const { root, modelRoot } = configSchema();
  const known = resolved(root).properties ?? {};
  const { properties = {}, required = [] } = resolved(modelRoot);
  const own = Object.entries(properties).filter(([name]) =>
    !Object.hasOwn(known, name) || name === "data" || name === "evaluation"
  );
  const parts = own.map(([name, option]) => {
    const choices = alternatives(option);
    const [first] = Object.keys(choices[0].properties ?? {});
    const constOf = (choice: OptionSchema) => resolved(choice.properties?.[first] ?? {}).const;
    if (choices.length < 2 || constOf(choices[0]) === undefined) {
      return table([row(name, option, required.includes(name)), ...partRows(option, name)]);
    }
    const kinds = choices.map((choice) => {
      const { [first]: kind, ...rest } = choice.properties!;
      return `### \`${name}.${first}\`: \`"${constOf(choice)}"\`\n\n${
        resolved(kind).description ?? ""
      }\n\n${table(rowsOf({ ...choice, properties: rest }, `${name}.`))}`;
    });
    return `${option.description ?? ""}\n\n${kinds.join("\n\n")}`;
  });
  return `## Models of several networks

The config of a preset such as \`pix2pix\` ([models.md](models.md)) has \`recipe\`, \`data\` and \`model\`; \`batchSize\`,
\`duration\`, \`seed\`, \`device\`, \`learningRateSchedule\`, \`divergence\`, \`ema\`, \`snapshots\`, \`checkpoints\` and
\`tensorboard\` are those of any run.

${parts.join("\n\n")}`;
}

function partRows(option: OptionSchema, name: string): Row[] {
  return isPart(option) && alternatives(option).length === 1
    ? rowsOf(resolved(option), `${name}.`)
    : [];
}

function layerSections(): string {
  const { definitions } = configSchema();
  const shared = sharedLayerOptions();
  const common = Object.keys(shared.Weighted.properties!);
  const parts = alternatives(definitions.LayerSpec).map((layer) => {
    const kind = resolved(layer.properties!.type).const;
    const own = Object.fromEntries(
      Object.entries(layer.properties!).filter(([name]) => !common.includes(name)),
    );
    const taken = common.filter((name) => Object.hasOwn(layer.properties!, name)).map(code);
    const rows = rowsOf({ ...layer, properties: own }, "");
    return `### \`${kind}\`\n\n${layer.description} Takes ${taken.join(", ")}.\n\n${table(rows)}`;
  });
  return `## Layers

Each layer of \`generator.layers\` and \`discriminator.layers\` is an object with a \`type\`. Shapes are written
without the batch; images are \`[height, width, channels]\`. These options many layers take:

${table(rowsOf(shared.Weighted, ""))}

${parts.join("\n\n")}`;
}

/** What the words of enumerations mean. */
function wordSections(): string {
  const parts = Object.entries(configSchema().definitions)
    .filter(([, { words }]) => words !== undefined)
    .map(([name, { description, words }]) => {
      const lines = Object.entries(words!).map(([word, meaning]) => `- ${code(word)}: ${meaning}`);
      return `### ${name}\n\n${description}\n\n${lines.join("\n")}`;
    });
  return `## Names\n\n${parts.join("\n\n")}`;
}

function anchor(name: string): string {
  return name.toLowerCase();
}

function code(text: string): string {
  return `\`${text.replaceAll("|", "\\|")}\``;
}

/** A Markdown table with columns of equal width. */
function table(rows: Row[]): string {
  if (rows.length === 0) return "";
  const head: Row = ["option", "type", "range", "default", "meaning"];
  const cells = [head, ...rows].map((row) =>
    row.map((cell) => cell.replaceAll(/(?<!\\)\|/g, "\\|"))
  );
  const lines = cells.map((row) => `| ${row.join(" | ")} |`);
  lines.splice(1, 0, `|${head.map(() => " --- |").join("")}`);
  return lines.join("\n");
}
