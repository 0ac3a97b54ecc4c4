/** Reads the tables of ARCHITECTURE.md: the rooms, what each may import, and the packages. */
import { ROOT } from "./modules.ts";

/** A row of the table of rooms. */
export interface Room {
  /** A folder or a single module: `src/nn`, `src/errors.ts`. */
  name: string;
  /** The rooms that it may import. */
  imports: string[];
}

/** A row of the table of packages. */
export interface Package {
  name: string;
  /** The rooms that may import it. */
  rooms: string[];
}

/** What the page says. */
export interface Page {
  /** From the bottom up: a room may import only rooms before it. */
  rooms: Room[];
  packages: Package[];
}

/** Reads ARCHITECTURE.md. */
export async function readPage(): Promise<Page> {
  const text = await Deno.readTextFile(new URL("ARCHITECTURE.md", ROOT));
  const names = (cell: string): string[] =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  const rooms = tableRows(text, "room").flatMap(([room, , imports]) =>
    names(room).map((name) => ({ name, imports: names(imports) }))
  );
  const packages = tableRows(text, "package").flatMap(([name, used]) =>
    names(name).map((name) => ({ name, rooms: names(used) }))
  );
  return { rooms, packages };
}

/** The cells of the table whose first column has some title; without the header. */
function tableRows(text: string, title: string): string[][] {
  const lines = text.split("\n");
  const header = lines.findIndex((line) => line.startsWith("|") && cells(line)[0] === title);
  if (header < 0) throw new Error(`ARCHITECTURE.md has no table whose first column is "${title}"`);
  const rest = lines.slice(header + 2);
  const end = rest.findIndex((line) => !line.startsWith("|"));
  return rest.slice(0, end < 0 ? undefined : end).map(cells);
}

function cells(line: string): string[] {
  return line.split("|").slice(1, -1).map((cell) => cell.trim());
}

/** The room of a module: the row with the longest name that contains it. */
export function roomOf(path: string, rooms: readonly Room[]): string | undefined {
  return rooms.map(({ name }) => name)
    .filter((name) => path === name || path.startsWith(`${name}/`))
    .sort((a, b) => b.length - a.length)[0];
}
