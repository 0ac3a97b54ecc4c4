/** Numbers as the page writes them. */

/** At most four digits, with separators. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "";
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(2);
  return Number(value.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 6 });
}

/** 65 -> "1 min 5 s". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** When something was, as a person of here writes it. */
export function moment(milliseconds: number): string {
  return milliseconds === 0 ? "" : new Date(milliseconds).toLocaleString("en", {
    dateStyle: "medium",
    timeStyle: "short",
  });
}
