/** Imports run one way, and the tables of ARCHITECTURE.md say exactly what the code does. */
import { assert, assertEquals } from "@std/assert";
import { circles, reachable, readModules, ROOT } from "./modules.ts";
import { readPage, roomOf } from "./page.ts";

const modules = await readModules();
const page = await readPage();
const order = new Map(page.rooms.map(({ name }, index) => [name, index]));

/** Imports between rooms: the importing room, the imported one, and the two modules. */
const crossings = [...modules.values()].flatMap(({ path, imports }) => {
  const from = roomOf(path, page.rooms);
  return imports.flatMap((target) => {
    const to = roomOf(target, page.rooms);
    return from && to && from !== to ? [{ from, to, text: `${path} imports ${target}` }] : [];
  });
});

Deno.test("every module but the tests has a room in ARCHITECTURE.md, and every room a module", () => {
  const homeless = [...modules.keys()].filter((path) =>
    /^(src|cli|tasks|bench|examples)\//.test(path) && !roomOf(path, page.rooms)
  );
  assertEquals(homeless, []);
  const used = new Set([...modules.keys()].map((path) => roomOf(path, page.rooms)));
  assertEquals(page.rooms.map(({ name }) => name).filter((name) => !used.has(name)), []);
});

Deno.test("a room imports exactly what its row in ARCHITECTURE.md lists", () => {
  const wrong: string[] = [];
  for (const { name, imports, isOpen } of page.rooms) {
    const own = crossings.filter(({ from }) => from === name);
    const unlisted = own.filter(({ to }) => !imports.includes(to));
    wrong.push(...unlisted.map(({ text }) => `${text}, which the row of ${name} does not list`));
    if (isOpen) continue;
    const unused = imports.filter((to) => !own.some((crossing) => crossing.to === to));
    wrong.push(...unused.map((to) => `the row of ${name} lists ${to}, which it does not import`));
  }
  assertEquals(wrong, []);
});

Deno.test("a room imports only rooms above it in the table of ARCHITECTURE.md", () => {
  const wrong = crossings.filter(({ from, to }) => order.get(to)! > order.get(from)!);
  assertEquals(wrong.map(({ text }) => text), []);
});

Deno.test("no modules import one another in a circle, by values or by types", () => {
  const edges = new Map([...modules].map(([path, { imports }]) => [path, imports]));
  assertEquals(circles(edges), []);
});

Deno.test("circles() finds the groups of nodes that reach one another", () => {
  const edges = new Map([["a", ["b"]], ["b", ["c", "d"]], ["c", ["a"]], ["d", ["e"]], ["e", [
    "d",
  ]]]);
  assertEquals(circles(edges), [["a", "b", "c"], ["d", "e"]]);
  assertEquals(circles(new Map([["a", ["b", "c"]], ["b", ["c"]]])), []);
});

Deno.test("a package is imported exactly by the rooms that its row in ARCHITECTURE.md lists", async () => {
  const users = new Map<string, Set<string>>();
  for (const { path, packages } of modules.values()) {
    const room = path.startsWith("tests/") ? "tests" : roomOf(path, page.rooms);
    for (const name of packages) {
      if (room && name !== "@ganforge/ganforge") {
        users.set(name, (users.get(name) ?? new Set()).add(room));
      }
    }
  }
  const listed = Object.fromEntries(page.packages.map(({ name, rooms }) => [name, rooms.sort()]));
  const actual = [...users].map(([name, rooms]): [string, string[]] => [name, [...rooms].sort()]);
  assertEquals(sorted(Object.fromEntries(actual)), sorted(listed));
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  for (const specifier of Object.keys(config.imports)) {
    const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
    assert(
      name.startsWith("@types/") || name in listed,
      `deno.json maps ${specifier}, which has no row in ARCHITECTURE.md`,
    );
  }
});

function sorted(record: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => a < b ? -1 : 1));
}

Deno.test("the sampler reaches nothing but onnxruntime-web, Node's built-ins and what runs in a browser", () => {
  const reached = reachable(modules, ["src/sampler/mod.ts"]);
  const rooms = new Set([...reached].map((path) => roomOf(path, page.rooms)!));
  const allowed = [
    ...["errors.ts", "bytes.ts", "vocabulary.ts", "manifest.ts", "model_manifest.ts"],
    ...["random", "tables", "raster", "ort", "sampler"],
  ];
  assertEquals([...rooms].filter((room) => !allowed.includes(room.slice("src/".length))), []);
  const packages = [...reached].flatMap((path) =>
    modules.get(path)!.packages.map((name) => `${path}: ${name}`)
  );
  const isRight = /: onnxruntime-(web|common)$|^src\/(sampler|ort)\/.*: node:/;
  assertEquals(packages.filter((text) => !isRight.test(text)), []);
});
