/** Files of one JSON object a line, oldest first. */
import { UserError } from "../errors.ts";
import { writeError, writeFileAtomically } from "../files.ts";

/** Reads the lines of a file; what follows a damaged line is left out. A file that is not there has none. */
export async function readStepLines<Line extends { step: number }>(file: string): Promise<Line[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const lines: Line[] = [];
  for (const line of text.split("\n").filter(Boolean)) {
    const parsed = parseLine<Line>(line);
    if (!parsed) break;
    lines.push(parsed);
  }
  return lines;
}

/**
 * Reads a file every line of which counts. A file that is not there has none.
 * @param options.parse a line's value; undefined for a line that is no such value
 * @param options.fault what is said of that line, from "is no" on, with what to do
 * @throws {UserError} when the file cannot be read, or a line is damaged
 */
export async function readLines<Line>(
  file: string,
  { parse, fault }: { parse: (value: Partial<Line> | null) => Line | undefined; fault: string },
): Promise<Line[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new UserError(`Cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  return text.split("\n").filter(Boolean).map((line, index) => {
    const parsed = parse(parseJson(line) as Partial<Line> | null);
    if (parsed) return parsed;
    throw new UserError(`Cannot read ${file}: line ${index + 1} ${fault}`);
  });
}

/** Writes a file of lines anew. @throws {UserError} when it cannot be written */
export async function writeStepLines(file: string, lines: readonly object[]): Promise<void> {
  const text = lines.map((line) => JSON.stringify(line) + "\n").join("");
  await writeFileAtomically(file, new TextEncoder().encode(text));
}

/** Adds lines at the end of a file. @throws {UserError} when it cannot be written */
export async function appendLines(file: string, lines: readonly object[]): Promise<void> {
  if (lines.length === 0) return;
  const text = lines.map((line) => JSON.stringify(line) + "\n").join("");
  try {
    await Deno.writeTextFile(file, text, { append: true });
  } catch (error) {
    throw writeError(file, error);
  }
}

function parseLine<Line extends { step: number }>(text: string): Line | undefined {
  const line = parseJson(text) as Partial<Line> | null;
  return Number.isFinite(line?.step) ? line as Line : undefined;
}

/** The value of a text; null for a text that is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
