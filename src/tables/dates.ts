/**
 * Dates as text: in which pattern a column's dates are written, and from text to days and back. A pattern
 * is made of YYYY, YY, MM, M, MMM (Jan), DD, D, HH, mm, ss and what stands between them; the manifest of an
 * exported generator holds it.
 */

/** The pattern of a date without a pattern of its own. */
export const ISO_DATE = "YYYY-MM-DD";

const DAY_MS = 86_400_000;

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const DAY_PATTERNS = [
  "YYYY-MM-DD",
  "YYYY/MM/DD",
  "YYYY.MM.DD",
  "DD.MM.YYYY",
  "MM/DD/YYYY",
  "DD/MM/YYYY",
  "DD-MM-YYYY",
  "MM-DD-YYYY",
  "DD MMM YYYY",
  "DD-MMM-YYYY",
  "MMM DD, YYYY",
  "MMM DD YYYY",
  "MM/DD/YY",
  "DD/MM/YY",
  "DD.MM.YY",
  "DD-MMM-YY",
];

const TIME_PATTERNS = ["", " HH:mm", " HH:mm:ss", "THH:mm", "THH:mm:ss", "THH:mm:ssZ"];

/** The patterns that are detected automatically; `YYYYMMDD` looks like a number. */
const DETECTED = DAY_PATTERNS.flatMap((day) => TIME_PATTERNS.map((time) => day + time));

/** What each part of a pattern may be in text. Days and months may lack their leading zero. */
const PARTS: Readonly<Record<string, string>> = {
  YYYY: "[0-9]{4}",
  YY: "[0-9]{2}",
  MMM: "[A-Za-z]{3,9}",
  MM: "[0-9]{1,2}",
  M: "[0-9]{1,2}",
  DD: "[0-9]{1,2}",
  D: "[0-9]{1,2}",
  HH: "[0-9]{1,2}",
  mm: "[0-9]{2}",
  ss: "[0-9]{2}(?:\\.[0-9]{1,9})?",
};

const PART = /YYYY|YY|MMM|MM|M|DD|D|HH|mm|ss/g;

/** Whether a text is a pattern of dates, with a day, a month and a year. */
export function isDatePattern(pattern: string): boolean {
  const parts = (pattern.match(PART) ?? []).map((part) => part[0]);
  return pattern.length <= 64 && ["Y", "M", "D"].every((part) => parts.includes(part));
}

/** The pattern of a column's dates. */
export interface DatePattern {
  pattern: string;
  /** Another pattern that fits all of them, such as the one with day and month exchanged. */
  other?: string;
}

/**
 * The pattern that all texts are dates by.
 * @param texts at least one
 * @param isDate whether the user said that they are dates: `20261130` then is one
 * @returns undefined where they are no dates, or not all in one pattern
 */
export function detectDatePattern(
  texts: readonly string[],
  isDate = false,
): DatePattern | undefined {
  const fitting = (isDate ? [...DETECTED, "YYYYMMDD"] : DETECTED)
    .filter((pattern) => texts.every((text) => parseDate(text, pattern) !== undefined));
  if (fitting.length === 0) return undefined;
  const [pattern, other] = fitting.map((found) => unpaddedWhereNeeded(found, texts));
  return other === undefined ? { pattern } : { pattern, other };
}

/** `D.M.YYYY` where the texts lack leading zeros, else the pattern as it is. */
function unpaddedWhereNeeded(pattern: string, texts: readonly string[]): string {
  if (pattern === "YYYYMMDD") return pattern;
  const isPadded = texts.every((text) =>
    formatDate(parseDate(text, pattern)!, pattern).length <= text.length
  );
  return isPadded ? pattern : pattern.replace(/(?<!M)MM(?!M)/, "M").replace("DD", "D");
}

const compiled = new Map<string, { expression: RegExp; parts: string[] }>();

function compile(pattern: string): { expression: RegExp; parts: string[] } {
  const known = compiled.get(pattern);
  if (known) return known;
  const parts = pattern.match(PART) ?? [];
  const source = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll(
      PART,
      (part) => `(${pattern === "YYYYMMDD" ? `[0-9]{${part.length}}` : PARTS[part]})`,
    );
  const result = { expression: new RegExp(`^${source}$`), parts };
  compiled.set(pattern, result);
  return result;
}

/**
 * Days since 1970-01-01 of a date, with its time of day as a fraction. Two-digit years are 1969 to 2068.
 * @returns undefined where the text is no such date, or the calendar has none like it
 */
export function parseDate(text: string, pattern: string): number | undefined {
  const { expression, parts } = compile(pattern);
  const match = expression.exec(text);
  if (!match) return undefined;
  let [year, month, day, hour, minute, second] = [0, 0, 0, 0, 0, 0];
  for (const [i, part] of parts.entries()) {
    const value = match[i + 1];
    const number = Number(value);
    if (part === "YYYY") year = number;
    else if (part === "YY") year = number < 69 ? 2000 + number : 1900 + number;
    else if (part === "MMM") month = monthOfName(value);
    else if (part[0] === "M") month = number;
    else if (part[0] === "D") day = number;
    else if (part === "HH") hour = number;
    else if (part === "mm") minute = number;
    else second = number;
  }
  const start = new Date(0);
  start.setUTCFullYear(year, month - 1, day);
  const isReal = start.getUTCMonth() === month - 1 && start.getUTCDate() === day && day > 0 &&
    hour < 24 && minute < 60 && second < 60;
  return isReal
    ? (start.getTime() + 1000 * (3600 * hour + 60 * minute + second)) / DAY_MS
    : undefined;
}

const MONTH_NAMES = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];

/** From 1; 0 where it is no month. */
function monthOfName(name: string): number {
  const lower = name.toLowerCase();
  return MONTHS.indexOf(lower) + 1 || MONTH_NAMES.indexOf(lower) + 1 || (lower === "sept" ? 9 : 0);
}

/** Days since 1970-01-01 as text: rounded to the smallest unit that the pattern has. */
export function formatDate(days: number, pattern: string): string {
  const unit = pattern.includes("ss") ? 1000 : pattern.includes("mm") ? 60_000 : DAY_MS;
  const date = new Date(Math.round(days * DAY_MS / unit) * unit);
  const month = date.getUTCMonth();
  const padded = (value: number, digits = 2) => String(value).padStart(digits, "0");
  return pattern.replaceAll(PART, (part) => {
    switch (part) {
      case "YYYY":
        return padded(date.getUTCFullYear(), 4);
      case "YY":
        return padded(date.getUTCFullYear() % 100);
      case "MMM":
        return MONTHS[month][0].toUpperCase() + MONTHS[month].slice(1);
      case "MM":
        return padded(month + 1);
      case "M":
        return String(month + 1);
      case "DD":
        return padded(date.getUTCDate());
      case "D":
        return String(date.getUTCDate());
      case "HH":
        return padded(date.getUTCHours());
      case "mm":
        return padded(date.getUTCMinutes());
      default:
        return padded(date.getUTCSeconds());
    }
  });
}
