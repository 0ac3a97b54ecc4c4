/** SVG as text: elements, escaped attributes, short numbers. */

/** An attribute's value; undefined leaves it out. */
export type SvgValue = string | number | undefined;

/**
 * An element.
 * @param attributes by name; numbers are written with two decimals at most
 * @param children markup, already escaped; see {@linkcode escapeXml}
 */
export function element(
  name: string,
  attributes: Record<string, SvgValue>,
  ...children: string[]
): string {
  const parts = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const text = typeof value === "number" ? shortNumber(value) : escapeXml(String(value));
      return ` ${key}="${text}"`;
    });
  const start = `<${name}${parts.join("")}`;
  return children.length === 0 ? `${start}/>` : `${start}>${children.join("")}</${name}>`;
}

/** Text with the five characters of XML replaced. */
export function escapeXml(text: string): string {
  return text.replace(
    /[&<>"']/g,
    (letter) =>
      ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[letter] ?? letter,
  );
}

/** A number with two decimals at most and no needless zeros. */
function shortNumber(value: number): string {
  return String(Math.round(value * 100) / 100);
}
