/** The sequence in which a person lists names: "2" before "10", "img9" before "img10". */

/** Compares names, runs of digits by their value and all else by code units. */
export function compareNaturally(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = comparePart(left[i], right[i]);
    if (order !== 0) return order;
  }
  return left.length - right.length || compareText(a, b);
}

/** Runs of digits and runs of anything else. */
function parts(name: string): string[] {
  return name.match(/[0-9]+|[^0-9]+/g) ?? [];
}

function comparePart(a: string, b: string): number {
  if (!/^[0-9]/.test(a) || !/^[0-9]/.test(b)) return compareText(a, b);
  const [left, right] = [a.replace(/^0+(?=.)/, ""), b.replace(/^0+(?=.)/, "")];
  return left.length - right.length || compareText(left, right);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Distinct class names: by value where all are numbers, else in natural order.
 * @returns each name once
 */
export function classNamesOf(names: Iterable<string>): string[] {
  const distinct = [...new Set(names)];
  const isNumeric = distinct.every((name) => name.trim() !== "" && Number.isFinite(Number(name)));
  return distinct.sort((a, b) => (isNumeric ? Number(a) - Number(b) : 0) || compareNaturally(a, b));
}
