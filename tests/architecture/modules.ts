/** Reads the modules of the project and what each of them imports, as values and as types. */
import { assert } from "@std/assert";

/** The project's root folder. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** Folders whose modules are read, and single modules beside them. */
const FOLDERS = ["src", "cli", "tasks", "bench", "examples/site", "tests"];
const FILES = ["mod.ts", "examples/deno_server.ts", "examples/deno_no_files.ts"];

/** One module. */
export interface Module {
  /** Path from the root: `src/nn/build.ts`. */
  path: string;
  /** Paths of the project's modules that it imports, value and type imports alike. */
  imports: string[];
  /** Packages and built-in modules that it imports: `zod`, `node:crypto`. */
  packages: string[];
}

interface Info {
  modules: {
    specifier: string;
    dependencies?: {
      specifier: string;
      code?: { specifier?: string };
      type?: { specifier?: string };
    }[];
  }[];
}

/** Every module of the project, by path, as `deno info` resolves them. */
export async function readModules(): Promise<Map<string, Module>> {
  const paths = [...FILES];
  for (const folder of FOLDERS) await listModules(folder, paths);
  // A module that imports all others: what no entry point reaches is read too.
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = paths.map((path) => `import ${JSON.stringify(new URL(path, ROOT).href)};\n`);
    await Deno.writeTextFile(entry, lines.join(""));
    const config = new URL("deno.json", ROOT).pathname;
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", config, entry],
      cwd: ROOT,
    }).output();
    assert(success, "deno info failed");
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as Info;
    const own = modules.filter(({ specifier }) => paths.includes(pathOf(specifier) ?? ""));
    return new Map(own.map((module) => [pathOf(module.specifier)!, readModule(module)]));
  } finally {
    await Deno.remove(entry);
  }
}

function readModule({ specifier, dependencies = [] }: Info["modules"][number]): Module {
  const imports = new Set<string>();
  const packages = new Set<string>();
  for (const { specifier: written, code, type } of dependencies) {
    for (const target of [code?.specifier, type?.specifier]) {
      const path = target === undefined ? undefined : pathOf(target);
      if (path !== undefined) imports.add(path);
    }
    if (!/^[./]|^file:/.test(written)) packages.add(packageName(written));
  }
  return { path: pathOf(specifier)!, imports: [...imports], packages: [...packages] };
}

/** `@scope/name/part` is a module of `@scope/name`, `node:fs/promises` of `node:fs`. */
function packageName(specifier: string): string {
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

function pathOf(specifier: string): string | undefined {
  return specifier.startsWith(ROOT.href) ? specifier.slice(ROOT.href.length) : undefined;
}

async function listModules(folder: string, paths: string[]): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) await listModules(`${folder}/${name}`, paths);
    else if (name.endsWith(".ts")) paths.push(`${folder}/${name}`);
  }
}

/** The modules that some entry points reach through their imports, themselves included. */
export function reachable(
  modules: ReadonlyMap<string, Module>,
  entries: readonly string[],
): Set<string> {
  const found = new Set<string>();
  const open = [...entries];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    open.push(...modules.get(path)?.imports ?? []);
  }
  return found;
}

/**
 * The groups of nodes of a directed graph that reach one another (Tarjan, 1972), of two nodes or more.
 * @param edges for each node the nodes that it points at
 */
export function circles(edges: ReadonlyMap<string, Iterable<string>>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  function visit(node: string): void {
    order.set(node, order.size);
    lowest.set(node, order.get(node)!);
    stack.push(node);
    for (const next of edges.get(node) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) {
        lowest.set(node, Math.min(lowest.get(node)!, lowest.get(next)!));
      }
    }
    if (lowest.get(node) !== order.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1) found.push(group.sort());
  }
  for (const node of edges.keys()) if (!order.has(node)) visit(node);
  return found.sort();
}
