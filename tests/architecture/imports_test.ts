/** Imports run one way. The table is ARCHITECTURE.md's picture; a new edge is a decision, not an accident. */
import { assert, assertEquals } from "@std/assert";

/** For each room, the rooms that it may import. Every room may import src/errors.ts. */
const ALLOWED: Record<string, string[]> = {
  "config": [],
  "random": ["manifest"],
  "manifest": [],
  "wasm_memory": [],
  "data": ["config", "random"],
  "engine": ["random", "engine/onnx", "engine/webgpu"],
  "engine/onnx": ["engine", "onnx", "random", "wasm_memory"],
  "engine/webgpu": ["engine", "random"],
  "nn": ["config", "engine", "random"],
  "objectives": ["config", "engine", "nn"],
  "training": ["config", "data", "engine", "nn", "objectives"],
  "onnx": ["engine", "nn", "config", "random", "manifest", "wasm_memory"],
  "sampler": ["random", "manifest", "wasm_memory"],
  "metrics": ["random"],
  "report": ["config", "data", "metrics", "sampler"],
  "pipeline": [
    "config",
    "data",
    "engine",
    "manifest",
    "metrics",
    "nn",
    "objectives",
    "onnx",
    "random",
    "report",
    "sampler",
    "training",
  ],
};

/** Packages that only some rooms may import. */
const PACKAGES: Record<string, string[]> = {
  "@tensorflow/tfjs": ["engine", "engine/webgpu"],
  "@tensorflow/tfjs-backend-webgpu": ["engine", "engine/webgpu"],
  "onnxruntime-web": ["engine/onnx", "onnx", "sampler"],
  "@std/assert": [],
  "@std/cli": [],
};

interface ModuleInfo {
  modules: {
    specifier: string;
    dependencies?: { specifier: string; code?: { specifier?: string }; type?: unknown }[];
  }[];
}

const root = new URL("../../", import.meta.url);

/** Every file that is reached from an entry, with what it imports. */
async function readGraph(entry: string): Promise<ModuleInfo["modules"]> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL(entry, root).pathname],
    cwd: root,
  }).output();
  assert(success, `deno info ${entry} failed`);
  return (JSON.parse(new TextDecoder().decode(stdout)) as ModuleInfo).modules;
}

function roomOf(specifier: string): string | undefined {
  const path = specifier.startsWith(root.href) ? specifier.slice(root.href.length) : "";
  const match = /^src\/(?:(engine\/(?:onnx|webgpu))\/|([a-z_]+)(?:\/|\.ts$))/.exec(path);
  return match?.[1] ?? match?.[2];
}

/** Entries that together reach every file of src. */
async function entries(): Promise<string[]> {
  const found = ["mod.ts", "src/sampler/mod.ts", "src/export/mod.ts"];
  for await (const entry of Deno.readDir(new URL("tasks", root))) {
    if (entry.name.endsWith(".ts")) found.push(`tasks/${entry.name}`);
  }
  return found;
}

Deno.test("imports between rooms run the way that the architecture says", async () => {
  const wrong = new Set<string>();
  const rooms = new Set<string>();
  for (const entry of await entries()) {
    for (const { specifier, dependencies = [] } of await readGraph(entry)) {
      const from = roomOf(specifier);
      if (from === undefined || from === "errors") continue;
      rooms.add(from);
      for (const dependency of dependencies) {
        const target = dependency.code?.specifier ?? "";
        const to = roomOf(target);
        const name = specifier.slice(root.href.length);
        if (to && to !== "errors" && to !== from && !ALLOWED[from]?.includes(to)) {
          wrong.add(`${name} imports ${to}`);
        }
        for (const [name_, allowed] of Object.entries(PACKAGES)) {
          const isIt = dependency.specifier === name_ ||
            dependency.specifier.startsWith(`${name_}/`);
          if (isIt && !allowed.includes(from)) wrong.add(`${name} imports ${name_}`);
        }
      }
    }
  }
  assertEquals([...wrong], []);
  assertEquals([...rooms].sort(), Object.keys(ALLOWED).sort());
});

Deno.test("the sampler reaches nothing but onnxruntime-web and its own helpers", async () => {
  const outside = (await readGraph("src/sampler/mod.ts"))
    .map(({ specifier }) => specifier)
    .filter((specifier) => !specifier.startsWith(root.href));
  for (const specifier of outside) {
    assert(/^(npm:\/?onnxruntime-(web|common)|node:)/.test(specifier), specifier);
  }
});
