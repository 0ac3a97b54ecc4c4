/**
 * Nothing lies about unused: every module is reached, every exported name is imported or public. And an
 * exported name stands for one thing, so that a reader who meets it knows which.
 */
import { assertEquals } from "@std/assert";
import { type Names, readNames } from "./exports.ts";
import { reachable, readModules, ROOT } from "./modules.ts";

/** Exported for tests alone, and why; what the project comes to use or to lose leaves this list. */
const FOR_TESTS: Record<string, string> = {
  "src/config/layers.ts InferredLayer": "tests compare it with the written type",
  "src/data/download.ts downloadDataset": "tests give it a server of their own",
  "src/engine/webgpu/kernels/registry.ts replacedKernels": "tests ask for a case of each kernel",
  "src/random/counter_random.ts pcg4d": "the hash as published, which others write out",
};

const modules = await readModules();
const paths = [...modules.keys()];
const names = new Map<string, Names>(
  await Promise.all(paths.map(async (path) => [path, await readNames(path)] as const)),
);
const { exports: entries } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
/** The modules that a user of the package imports. */
const publicModules = Object.values(entries as Record<string, string>).map((path) => path.slice(2));

Deno.test("every module of src is reached from a public module, a task or a measurement", () => {
  // A page's module is a program too: the browser starts it.
  const programs = paths.filter((path) =>
    /^(tasks\/[^/]+\.ts$|bench\/|src\/.*\/page\/main\.ts$)/.test(path)
  );
  const reached = reachable(modules, [...publicModules, ...programs]);
  const unreached = paths.filter((path) => path.startsWith("src/") && !reached.has(path));
  const kept = new Set(Object.keys(FOR_TESTS).map((key) => key.split(" ")[0]));
  assertEquals(unreached.filter((path) => !kept.has(path)), []);
});

/** Names that public modules hand on, as `path name`. */
function publicNames(): Set<string> {
  const found = new Set<string>();
  const open = publicModules.map((path) => ({ path, only: undefined as Set<string> | undefined }));
  for (let item = open.pop(); item; item = open.pop()) {
    const { path, only } = item;
    for (const { name } of names.get(path)?.exports ?? []) {
      if (only === undefined || only.has(name)) found.add(`${path} ${name}`);
    }
    for (const [target, used] of names.get(path)?.uses ?? []) {
      const isNew = [...used].some((name) => !found.has(`${target} ${name}`) && name !== "*");
      if (only !== undefined && ![...used].some((name) => only.has(name) || name === "*")) continue;
      if (isNew || (used.has("*") && !open.some((other) => other.path === target))) {
        open.push({ path: target, only: used.has("*") ? only : used });
      }
      for (const name of used) found.add(`${target} ${name}`);
    }
  }
  return found;
}

/** For each exported name, as `path name`, the modules that import it. */
function importers(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [path, { uses }] of names) {
    for (const [target, used] of uses) {
      const all = used.has("*") ? names.get(target)?.exports.map(({ name }) => name) ?? [] : used;
      for (const name of all) {
        const key = `${target} ${name}`;
        found.set(key, [...found.get(key) ?? [], path]);
      }
    }
  }
  return found;
}

Deno.test("every exported name of src is public or imported, and not by tests alone unless its module uses it", () => {
  const visible = publicNames();
  const users = importers();
  const unused: string[] = [];
  for (const [path, { exports, text }] of names) {
    if (!path.startsWith("src/")) continue;
    for (const { name, isType } of exports) {
      const key = `${path} ${name}`;
      if (visible.has(key)) continue;
      const occurrences = text.match(
        new RegExp(`(?<![\\w$])${name.replace("$", "\\$")}(?![\\w$])`, "g"),
      );
      const usedInside = (occurrences?.length ?? 0) > 1;
      const by = users.get(key) ?? [];
      if (by.some((user) => !user.startsWith("tests/"))) continue;
      if (usedInside && (isType || by.length > 0)) continue;
      unused.push(key);
    }
  }
  assertEquals(unused.sort(), Object.keys(FOR_TESTS).sort());
});

Deno.test("an exported name stands for one thing: no two modules export values or types of one name", () => {
  const modulesOf = new Map<string, Set<string>>();
  for (const [path, { exports }] of names) {
    if (path.startsWith("tests/")) continue;
    for (const { name } of exports) {
      modulesOf.set(name, (modulesOf.get(name) ?? new Set()).add(path));
    }
  }
  const doubles = [...modulesOf].filter(([, paths]) => paths.size > 1)
    .map(([name, paths]) => `${name}: ${[...paths].join(", ")}`);
  assertEquals(doubles.sort(), []);
});
