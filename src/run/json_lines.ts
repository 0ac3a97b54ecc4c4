/** Files of one JSON object a line, oldest first, each with the `step` that it belongs to. */
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
  for (const line of text.split("\n")) {
    if (!line) continue;
    const parsed = parseLine<Line>(line);
    if (!parsed) break;
    lines.push(parsed);
  }
  return lines;
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
  try {
    const line = JSON.parse(text) as Partial<Line> | null;
    return Number.isFinite(line?.step) ? line as Line : undefined;
  } catch {
    return undefined;
  }
}
