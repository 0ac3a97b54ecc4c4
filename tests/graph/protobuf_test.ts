import { checkProperty } from "../properties.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  DATA_TYPES,
  irVersionFor,
  type OnnxAttribute,
  type OnnxModel,
  type OnnxType,
} from "../../src/graph/onnx_graph.ts";
import { encodeModel } from "../../src/graph/protobuf.ts";
import { decodeModel } from "../export/protobuf_reader.ts";

/** Records as plain objects, as the reader makes them. */
function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const name = fc.string({ minLength: 1, maxLength: 12 });
const integer = fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 });
const dtype = fc.constantFrom(...Object.keys(DATA_TYPES) as OnnxType[]);
const tensor = record({
  name,
  dtype,
  dims: fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { maxLength: 4 }),
  data: fc.uint8Array({ maxLength: 40 }),
});
const value = record({
  name,
  dtype,
  dims: fc.array(fc.oneof(fc.integer({ min: 0, max: 2 ** 40 }), name), { maxLength: 4 }),
});
const attribute: fc.Arbitrary<OnnxAttribute> = fc.oneof(
  integer,
  fc.string(),
  fc.array(integer, { minLength: 1, maxLength: 5 }),
  record({ float: fc.float({ noNaN: true }) }),
  record({ tensor }),
);
const node = record({
  op: name,
  inputs: fc.array(fc.string({ maxLength: 8 }), { maxLength: 4 }),
  outputs: fc.array(name, { minLength: 1, maxLength: 3 }),
  attributes: fc.dictionary(name, attribute, { maxKeys: 4, noNullPrototype: true }),
});
const graph = record({
  name,
  nodes: fc.array(node, { maxLength: 4 }),
  inputs: fc.array(value, { maxLength: 3 }),
  outputs: fc.array(value, { maxLength: 3 }),
  initializers: fc.array(tensor, { maxLength: 3 }),
  values: fc.array(value, { maxLength: 3 }),
});
const model: fc.Arbitrary<OnnxModel> = record({
  graph,
  opset: fc.integer({ min: 1, max: 30 }),
  irVersion: fc.integer({ min: 1, max: 20 }),
  producer: name,
  producerVersion: name,
  domains: fc.dictionary(name, fc.integer({ min: 1, max: 9 }), {
    maxKeys: 2,
    noNullPrototype: true,
  }),
  metadata: fc.dictionary(name, fc.string({ unit: "grapheme" }), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
});

Deno.test("decodeModel() reads what encodeModel() wrote", () => {
  checkProperty(fc.property(model, (given) => {
    if ("ai.onnx" in given.domains!) return;
    const bytes = encodeModel(given);
    assertEquals(decodeModel(bytes), given);
    assertEquals(encodeModel(decodeModel(bytes)), bytes);
  }));
});

/** What the onnx package for Python (1.12) makes of the same model. */
const SMALL_MODEL =
  "08081201701a01313a340a0b0a017812017922034e65671201675a100a0178120b0a09080112050a0312014e" +
  "62100a0179120b0a09080112050a0312014e4202101172060a016b120176";

Deno.test("encodeModel() writes the bytes that the onnx package writes", () => {
  const dims = ["N"];
  const bytes = encodeModel({
    graph: {
      name: "g",
      nodes: [{ op: "Neg", inputs: ["x"], outputs: ["y"] }],
      inputs: [{ name: "x", dtype: "float32", dims }],
      outputs: [{ name: "y", dtype: "float32", dims }],
      initializers: [],
    },
    opset: 17,
    irVersion: 8,
    producer: "p",
    producerVersion: "1",
    metadata: { k: "v" },
  });
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  assertEquals(hex, SMALL_MODEL);
});

Deno.test("decodeModel() refuses bytes that are no model", () => {
  for (const text of ["", "<!doctype html><html></html>", "PK\x03\x04"]) {
    const error = assertThrows(() => decodeModel(new TextEncoder().encode(text)), SyntaxError);
    assert(error.message.startsWith(`Cannot read an ONNX model of ${text.length} bytes: `));
  }
});

Deno.test("encodeModel() refuses a float where it cannot be told from an integer", () => {
  const given: OnnxModel = {
    graph: {
      name: "g",
      nodes: [{ op: "Elu", inputs: ["x"], outputs: ["y"], attributes: { alpha: 0.5 } }],
      inputs: [],
      outputs: [],
      initializers: [],
    },
    opset: 17,
    irVersion: 8,
    producer: "",
    producerVersion: "",
  };
  const error = assertThrows(() => encodeModel(given), TypeError);
  assertEquals(error.message, "Cannot write attribute alpha = 0.5: wrap floats as { float }");
});

Deno.test("irVersionFor() gives the version that old and new runtimes take", () => {
  assertEquals([13, 14, 15, 17, 18, 19, 20, 21].map(irVersionFor), [7, 7, 8, 8, 8, 9, 9, 10]);
  assertThrows(() => irVersionFor(12), RangeError, "Cannot write opset 12: 13 to 21 are supported");
});
