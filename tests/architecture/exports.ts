/**
 * Reads which names modules export and which they import from one another, from formatted source: after
 * `deno fmt` an export starts its line, and an import names what it takes between braces.
 */
import { ROOT } from "./modules.ts";

/** A name that a module exports. */
export interface Export {
  name: string;
  /** Whether it is an interface or a type, which a signature may name without an import. */
  isType: boolean;
}

/** What one module says about names. */
export interface Names {
  exports: Export[];
  /** Names imported or re-exported, by the path of their module; "*" for all of them. */
  uses: Map<string, Set<string>>;
  /** The module without its comments, exports and imports included. */
  text: string;
}

const DECLARATION =
  /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(function\*?|class|const|let|interface|type|enum) ([\w$]+)/gm;
const CLAUSE =
  /^(?:import|export) (?:type )?(\*(?: as [\w$]+)?|[\w$]+|\{[^}]*\})(?:, (?:\{[^}]*\}))? from "(\.[^"]+)";/gm;
const DYNAMIC = /import\(\s*"(\.[^"]+)"\s*\)/g;

/** Reads a module. @param path from the root */
export async function readNames(path: string): Promise<Names> {
  const source = await Deno.readTextFile(new URL(path, ROOT));
  const text = source.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "");
  const exports = [...text.matchAll(DECLARATION)].map(([, kind, name]) => ({
    name,
    isType: kind === "interface" || kind === "type",
  }));
  const uses = new Map<string, Set<string>>();
  const use = (specifier: string, names: Iterable<string>) => {
    const target = new URL(specifier, new URL(path, ROOT)).href.slice(ROOT.href.length);
    uses.set(target, new Set([...uses.get(target) ?? [], ...names]));
  };
  for (const [, clause, specifier] of text.matchAll(CLAUSE)) use(specifier, namesOf(clause));
  for (const [, specifier] of text.matchAll(DYNAMIC)) use(specifier, ["*"]);
  return { exports, uses, text };
}

/** `{ a, type b as c }` names a and b; `* as all` everything. */
function namesOf(clause: string): string[] {
  if (!clause.startsWith("{")) return ["*"];
  return clause.slice(1, -1).split(",")
    .map((item) => item.trim().replace(/^type /, "").split(" as ")[0])
    .filter((name) => name !== "");
}
