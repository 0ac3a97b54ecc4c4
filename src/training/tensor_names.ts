/** Tensors by name: a run's state is a flat map whose parts have prefixes, such as `generator/`. */

/** The entries under a prefix, without it. */
export function section<T>(values: Record<string, T>, prefix: string): Record<string, T> {
  const start = `${prefix}/`;
  const inside = Object.entries(values).filter(([name]) => name.startsWith(start));
  return Object.fromEntries(inside.map(([name, value]) => [name.slice(start.length), value]));
}

/** The entries with a prefix before each name. */
export function withPrefix<T>(prefix: string, values: Record<string, T>): Record<string, T> {
  return mapNames(values, (name) => `${prefix}/${name}`);
}

/** The entries with other names. */
function mapNames<T>(
  values: Record<string, T>,
  rename: (name: string) => string,
): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [rename(name), value]));
}
