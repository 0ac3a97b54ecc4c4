/** Pieces of Markdown: tables, and numbers and settings as text. */

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

/** A whole number with commas between thousands. */
export function wholeNumber(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Four significant digits, with a true minus; "not known" for NaN. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return "not known";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "\u2212infinite";
  if (value === 0) return "0";
  const small = Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6;
  const text = small ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace("e+", "e").replaceAll("-", "\u2212");
}

/** A share as a percentage with one decimal. */
export function percentage(share: number): string {
  return Number.isNaN(share) ? "not known" : `${(100 * share).toFixed(1)}%`;
}

/** A shape: `28 x 28 x 1`. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? "one number" : shape.join(" x ");
}

/** A file's size in units that a person reads. */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
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
