/** Configs and assignments of any kind: a config that can be used, or one line that says why not. */
import { checkProperty } from "../properties.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { presetConfig, presets } from "../../src/config/presets/mod.ts";
import { withAssignments } from "../../src/config/assignments.ts";
import { checkConfig } from "../../src/config/check_config.ts";
import type { RunConfig } from "../../src/config/run_config.ts";
import { UserError } from "../../src/errors.ts";
import { buildTrainingStep } from "../../src/training/step.ts";

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** The paths of a value's fields, at every depth. */
function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return path.length ? [path] : [];
  const below = Object.entries(value).flatMap(([key, child]) => pathsOf(child, [...path, key]));
  return path.length ? [path, ...below] : below;
}

const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(0, -1, 0.5, 1, 2, 3, 1e9, 1e300, NaN, "", "relu", null, [], {}, true),
  fc.constantFrom("dense", "flatten", "batch-norm", "wasserstein", "hinge", "relativistic"),
  fc.jsonValue({ maxDepth: 2 }),
);

/** What is done to one place of a config. */
interface Edit {
  path: string[];
  kind: "junk" | "remove" | "number" | "word";
  value: unknown;
}

/** Numbers and words that a config could well have there, so that many damaged ones pass their check. */
const numbers = fc.constantFrom(1, 2, 3, 4, 5, 8, 28, 100, 0.25, 0.5);
const words = fc.constantFrom("relu", "tanh", "wasserstein", "hinge", "concatenated", "shared");

function editOf(path: string[]): fc.Arbitrary<Edit> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("junk" as const), value: junk }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("number" as const), value: numbers }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("word" as const), value: words }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("remove" as const), value: junk }) },
  ).map((edit) => ({ ...edit, path }));
}

/** Edits what is at a path; a number or a word takes the place of its like only. */
function damage(root: unknown, { path, kind, value }: Edit): void {
  let target = root as Record<string, unknown>;
  for (const key of path.slice(0, -1)) {
    if (typeof target[key] !== "object" || target[key] === null) return; // damaged before
    target = target[key] as Record<string, unknown>;
  }
  const last = path[path.length - 1];
  const like = { number: "number", word: "string", junk: undefined, remove: undefined }[kind];
  if (like !== undefined && typeof target[last] !== like) return;
  if (kind !== "remove") target[last] = value;
  else if (Array.isArray(target)) target.splice(Number(last), 1);
  else delete target[last];
}

/** Passes, or throws a UserError of one line. */
function mustBeClear(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    assert(error instanceof UserError, `${(error as Error).stack}`);
    assert(!error.message.includes("\n") && error.message.length > 15, error.message);
    return false;
  }
}

const shapeOf = ({ discriminator }: RunConfig) => [...discriminator.inputShape];

Deno.test("checkConfig() and buildTrainingStep() take a damaged config or name its fault", () => {
  const names = Object.keys(presets).filter((name) => !/resnet|r3gan/.test(name));
  const cases = names.map((name) => ({ name, paths: pathsOf(presetConfig(name)) }));
  const damaged = fc.constantFrom(...cases).chain(({ name, paths }) =>
    fc.record({
      name: fc.constant(name),
      edits: fc.array(fc.constantFrom(...paths).chain(editOf), { minLength: 1, maxLength: 4 }),
    })
  );
  const seen = { refused: 0, unbuildable: 0, built: 0 };
  checkProperty(
    fc.property(damaged, ({ name, edits }) => {
      const value = structuredClone(presetConfig(name));
      for (const edit of edits) damage(value, edit);
      let config: RunConfig | undefined;
      if (!mustBeClear(() => config = checkConfig(value, "my.json"))) return void seen.refused++;
      const usable = mustBeClear(() => {
        buildTrainingStep(config!, { shape: shapeOf(config!), classCount: 10 });
      });
      seen[usable ? "built" : "unbuildable"]++;
    }),
    { numRuns: 3000, seed: 7 },
  );
  assert(Math.min(...Object.values(seen)) > 100, JSON.stringify(seen)); // each way was taken
});

Deno.test("checkConfig() takes any JSON or says in one line what is wrong", () => {
  checkProperty(
    fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
      assertEquals(mustBeClear(() => checkConfig(value, "my.json")), false);
    }),
    { numRuns: 3000, seed: 8 },
  );
});

Deno.test("withAssignments() sets an option or says in one line why not, and touches nothing else", () => {
  const config = presetConfig("digits");
  const before = JSON.stringify(config);
  const paths = pathsOf(config).map((path) => path.join("."));
  const odd = fc.constantFrom(
    "__proto__",
    "constructor",
    "length",
    "-1",
    "9",
    "99999999",
    "",
    "ema",
  );
  const path = fc.oneof(
    fc.constantFrom(...paths),
    fc.tuple(fc.constantFrom(...paths), odd).map((parts) => parts.join(".")),
    fc.array(odd, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(".")),
    fc.string({ maxLength: 12 }),
  );
  const text = fc.oneof(junk.map((value) => JSON.stringify(value) ?? "x"), fc.string());
  const seen = { taken: 0, refused: 0 };
  checkProperty(
    fc.property(fc.array(fc.tuple(path, text), { maxLength: 3 }), (pairs) => {
      const taken = mustBeClear(() => {
        withAssignments(config, pairs.map(([path, value]) => `${path}=${value}`));
      });
      seen[taken ? "taken" : "refused"]++;
      assertEquals(JSON.stringify(config), before);
      assertEquals(Object.keys(Object.prototype), []);
    }),
    { numRuns: 4000, seed: 9 },
  );
  assert(seen.taken > 300 && seen.refused > 300, JSON.stringify(seen));
});

const WRONG: [assignment: string, message: string][] = [
  ["__proto__.batchSize=3", "there is no __proto__"],
  ["ema.__proto__=3", "it is no option"],
  ["generator.layers.99999999={}", "is a list of 12; expected a position from 0 to 12"],
  ["generator.layers.length=1", "is a list of 12"],
];

Deno.test("withAssignments() refuses what is no option of a config", () => {
  for (const [assignment, message] of WRONG) {
    assertThrows(() => withAssignments(presetConfig("digits"), [assignment]), UserError, message);
  }
});

Deno.test("withAssignments() adds a layer at the end of a list, and removes one", () => {
  const config = presetConfig("mnist-mlp");
  const { layers } = config.generator;
  const layer: Json = { type: "activation", fn: "tanh" };
  const path = `generator.layers.${layers.length}=${JSON.stringify(layer)}`;
  assertEquals(withAssignments(config, [path]).generator.layers, [...layers, layer]);
  assertEquals(
    withAssignments(config, ["generator.layers.0=null"]).generator.layers,
    layers.slice(1),
  );
});
