/** Numbers and units as text for people: the one place that decides how they look. */

/** The sign of negative numbers in reports: a true minus is as wide as a plus. */
const MINUS = "\u2212";

/** A whole number with commas between thousands: `60,000`. */
export function formatInteger(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Four significant digits, with a true minus; "not known" for NaN. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "not known";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : `${MINUS}infinite`;
  if (value === 0) return "0";
  const isExtreme = Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6;
  const text = isExtreme ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  return text.replace("e+", "e").replaceAll("-", MINUS);
}

/** A share as a percentage with one decimal: 0.123 is `12.3%`; "not known" for NaN. */
export function formatPercent(share: number): string {
  return Number.isNaN(share) ? "not known" : `${(100 * share).toFixed(1)}%`;
}

/** A shape: `28 x 28 x 1`. */
export function formatShape(shape: readonly number[]): string {
  return shape.length === 0 ? "one number" : shape.join(" x ");
}

const PREFIXES = ["", "k", "M", "G", "T", "P"];

/** Three digits and a unit with a decimal prefix: `48 B`, `64.0 MB`, `2.84 TFLOP`. */
export function formatQuantity(value: number, unit: string): string {
  const thousands = Math.floor(Math.log10(Math.max(value, 1)) / 3);
  const index = Math.min(thousands, PREFIXES.length - 1);
  const scaled = value / 1000 ** index;
  return `${index === 0 ? Math.round(scaled) : scaled.toPrecision(3)} ${PREFIXES[index]}${unit}`;
}

/** A number of bytes in decimal units: `48 bytes`, `12.3 kB`, `5.0 MB`, `1.2 GB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes} bytes`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** Seconds as `0.4 s`, `42 s`, `3:20` or `1:02:03`; "?" where they are not known. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 0.05) return "under 0.1 s";
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const twoDigits = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3600);
  return hours > 0
    ? `${hours}:${twoDigits(minutes)}:${twoDigits(whole % 60)}`
    : `${minutes}:${twoDigits(whole % 60)}`;
}

/** A line of a CSV file by RFC 4180, with its end: fields that need quotes get them. */
export function csvLine(fields: readonly (string | number)[]): string {
  const quoted = fields.map((field) => {
    const text = String(field);
    return /^\s|\s$|[",\r\n#]/.test(text) || text === "" ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(",")}\n`;
}
