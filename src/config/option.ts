/** How the schemas describe an option: its meaning and its default stand beside its type and range. */
import type { z } from "zod";

/** What holds where an option is left out: a value, or a rule in words. */
export interface OptionDefault {
  /** The value. */
  default?: unknown;
  /** In words, where it depends on something else: "the network's". */
  otherwise?: string;
}

/**
 * An option that may be left out.
 * @param meaning one or more sentences, for docs/options.md and the comments of the types
 */
export function optional<Schema extends z.ZodType>(
  schema: Schema,
  meaning: string,
  fallback: OptionDefault = {},
): z.ZodOptional<Schema> {
  return schema.optional().meta({ description: meaning, ...fallback });
}

/**
 * Names a schema: it becomes an exported type of that name in types.ts.
 * @param meaning what the type is
 * @param words what each word means, for an enumeration
 */
export function named<Schema extends z.ZodType>(
  schema: Schema,
  id: string,
  { meaning, words }: { meaning: string; words?: Readonly<Record<string, string>> },
): Schema {
  return schema.meta({ id, description: meaning, ...(words ? { words } : {}) }) as Schema;
}
