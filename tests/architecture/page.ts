/** Reads the tables of ARCHITECTURE.md: the rooms, what each may import, and the packages. */
import { ROOT } from "./modules.ts";

/** A row of the table of rooms. */
export interface Room {
  /** A folder or a single module: `src/nn`, `src/errors.ts`. */
  name: string;
  /** The rooms that it may import. */
  imports: string[];
  /** Whether it may import all of `src`, used or not. */
  isOpen: boolean;
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

/** How the cell of a room starts that may import all of `src`. */
const ALL = "all of src";

/** Reads ARCHITECTURE.md. */
export async function readPage(): Promise<Page> {
  const text = await Deno.readTextFile(new URL("ARCHITECTURE.md", ROOT));
  const names = (cell: string): string[] =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
  const rows = tableRows(text, "room");
  const known = rows.flatMap(([room]) => names(room));
  const roomsOf = (cell: string): string[] => [
    ...(cell.startsWith(ALL) ? known.filter((name) => name.startsWith("src/")) : []),
    ...names(cell).map((name) => fullName(name, known)),
  ];
  const rooms = rows.flatMap(([room, , cell]) =>
    names(room).map((name) => ({ name, imports: roomsOf(cell), isOpen: cell.startsWith(ALL) }))
  );
  const packages = tableRows(text, "package").flatMap(([name, cell]) =>
    names(name).map((name) => ({ name, rooms: roomsOf(cell) }))
  );
  return { rooms, packages };
}

/** `nn` for `src/nn`, `errors` for `src/errors.ts`; the rooms outside `src` and the tests as they are. */
function fullName(name: string, known: readonly string[]): string {
  if (name === "tests") return name;
  const found = [name, `src/${name}`, `src/${name}.ts`].find((each) => known.includes(each));
  if (found === undefined) throw new Error(`ARCHITECTURE.md names ${name}, which has no row`);
  return found;
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
