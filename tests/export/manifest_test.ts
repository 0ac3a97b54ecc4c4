import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { UserError } from "../../src/errors.ts";
import { exportOnnx } from "../../src/export/mod.ts";
import { type GeneratorManifest, MANIFEST_VERSION, parseManifest } from "../../src/manifest.ts";

const manifest: GeneratorManifest = {
  formatVersion: MANIFEST_VERSION,
  producer: "test 0",
  latent: { dimension: 2, distribution: "normal" },
  output: { name: "sample", shape: [2], dtype: "float32", range: null },
  classNames: null,
  truncationMean: [0, 0],
  preset: null,
  step: null,
  license: null,
  weightsSha256: "0".repeat(64),
  selfTest: { seeds: [0], labels: null, values: [[1, 2]], tolerance: 1e-3 },
};

Deno.test("parseManifest() reads the names of further inputs", () => {
  const conditions = [
    { name: "style", dtype: "float16" as const, shape: [4, 4, 3] },
    { name: "truncation", dtype: "float32" as const, shape: [] },
  ];
  const text = JSON.stringify({ ...manifest, conditions });
  assertEquals(parseManifest(text).conditions, conditions);
  assertEquals(parseManifest(JSON.stringify(manifest)).conditions, undefined);
});

Deno.test("parseManifest() says what is wrong with a further input", () => {
  const good = { name: "style", dtype: "float32", shape: [3] };
  const cases: [conditions: unknown, fault: string][] = [
    ["style", "conditions is not a list"],
    [["style"], "conditions[0] is not an object"],
    [[{ ...good, name: "" }], "conditions[0].name is not a name"],
    [[good, good], "conditions[1].name is style, which another input has"],
    [[{ ...good, name: "latent" }], "conditions[0].name is latent, which another input has"],
    [[{ ...good, dtype: "double" }], 'conditions[0].dtype is "double", not float32, float16'],
    [[{ ...good, shape: [0] }], "conditions[0].shape is not a list of positive integers"],
    [[{ ...good, shape: 3 }], "conditions[0].shape is not a list of positive integers"],
  ];
  for (const [conditions, fault] of cases) {
    const text = JSON.stringify({ ...manifest, conditions });
    assertThrows(() => parseManifest(text), TypeError, `Cannot read the manifest as ${fault}`);
  }
});

Deno.test("exportOnnx() names the columns of points, and refuses names for other outputs", async () => {
  const numbers = (...shape: number[]) => ({
    shape,
    dtype: "float32" as const,
    data: new Float32Array(shape.reduce((size, side) => size * side, 1)).fill(0.1),
  });
  const model = {
    spec: {
      inputShape: [2],
      init: "torch" as const,
      layers: [{ type: "dense" as const, units: 3 }],
    },
    weights: { "dense_1/kernel": numbers(2, 3), "dense_1/bias": numbers(3) },
  };
  const columnNames = ["x", "y", "height, cm"];
  const named = await exportOnnx(model, { generator: { columnNames } });
  assertEquals(named.manifest.columnNames, columnNames);
  assertEquals(parseManifest(JSON.stringify(named.manifest)).columnNames, columnNames);
  const plain = await exportOnnx(model, { generator: {} });
  assertEquals("columnNames" in plain.manifest, false);
  await assertRejects(
    () => exportOnnx(model, { generator: { columnNames: ["x"] } }),
    UserError,
    "Cannot export with 1 columnNames: a sample has the shape [3], and names are for the values of points",
  );
});
