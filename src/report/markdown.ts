/** Pieces of Markdown: tables, and settings as text. */

/**
 * A table.
 * @param header the columns' names; a name that starts with ">" makes a column right-aligned
 * @param rows cells as text; bars and line breaks in them are made harmless
 */
export function markdownTable(header: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(tableCell).join(" | ")} |`;
  return [
    line(header.map((name) => name.replace(/^>/, ""))),
    `|${header.map((name) => name.startsWith(">") ? " ---: |" : " --- |").join("")}`,
    ...rows.map(line),
  ].join("\n");
}

function tableCell(text: string): string {
  return text.replaceAll("|", "\\|").replace(/\s*\n\s*/g, " ");
}

/**
 * A setting in words, whatever fields it has: `{ type: "adam", learningRate: 1e-4, beta1: 0.5 }` is
 * "adam (learning rate 0.0001, beta1 0.5)". Fields that later versions add appear by themselves.
 */
export function settingText(setting: object): string {
  const { type, name, ...fields } = setting as Record<string, unknown>;
  const title = type ?? name;
  const details = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${spaced(key)} ${settingValue(value)}`)
    .join(", ");
  if (title === undefined) return details;
  return details ? `${title} (${details})` : String(title);
}

function settingValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(settingValue).join(", ")}]`;
  if (typeof value === "object" && value !== null) return `(${settingText(value)})`;
  return String(value);
}

/** camelCase as words. */
function spaced(key: string): string {
  return key.replace(
    /([a-z0-9])([A-Z])/g,
    (_, before, letter) => `${before} ${letter.toLowerCase()}`,
  );
}
