import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { UserError } from "../../src/errors.ts";
import { describeGenerator } from "../../src/sampler/generator_info.ts";
import { readModelFile } from "../../src/sampler/model_file.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { damagedBytes, fuzz, FUZZ_RUNS } from "../fuzz.ts";
import { fixture, load } from "./helpers.ts";

const describe = (bytes: Uint8Array) =>
  describeGenerator(readModelFile(bytes, "x.onnx"), "x.onnx", bytes.length);

Deno.test("readModelFile() finds inputs, outputs, opset and metadata", () => {
  const file = readModelFile(fixture("conditional"), "x");
  assertEquals([file.irVersion, file.opset, file.producer], [8, 17, "ganforge fixtures"]);
  assertEquals(file.inputs, [
    { name: "latent", elementType: 1, shape: [null, 8] },
    { name: "label", elementType: 7, shape: [null] },
  ]);
  assertEquals(file.outputs, [{ name: "image", elementType: 1, shape: [null, 3, 8, 8] }]);
  assertEquals([...file.metadata.keys()], ["ganforge.manifest"]);
});

Deno.test("readModelFile() says what a file is that is no model", () => {
  const html = "<!DOCTYPE html><html><body>Not found</body></html>";
  const kinds: [string | Uint8Array, string][] = [
    ["", "it is empty (0 bytes)"],
    [html, `it is a web page (HTML, ${html.length} bytes), not an ONNX model; check the address`],
    ["\ufeff  \n<html lang=en>", "it is a web page (HTML"],
    ["version https://git-lfs.github.com/spec/v1\noid", "it is a Git LFS pointer"],
    [
      "PK\x03\x04 zip",
      "it is not an ONNX model (8 bytes) but a zip archive, perhaps a PyTorch checkpoint",
    ],
    [
      Uint8Array.of(0x1f, 0x8b, 8, 0),
      "it is not an ONNX model (4 bytes) but gzip data; unpack it first",
    ],
    [Uint8Array.of(0x80, 2, 0x8a), "it is not an ONNX model (3 bytes) but a Python pickle"],
    ['{"a": 1}', "it is not an ONNX model (8 bytes) but JSON text"],
    ["hello world", "it is not an ONNX model (11 bytes) but text"],
    ["zo\0", "it is cut off or not an ONNX model: a field at byte 2 needs 111 bytes, and 1 of"],
    [new Uint8Array(50).fill(255), "it is not an ONNX model, or damaged: what stands at byte 10"],
    [new Uint8Array(50), "it is not an ONNX model, or damaged: what stands at byte 1 of 50"],
    [Uint8Array.of(8, 8), "it is not an ONNX model: its 2 bytes hold no graph"],
    [Uint8Array.of(0x3a, 0), "it is not an ONNX model: its 2 bytes hold no format version"],
  ];
  for (const [content, message] of kinds) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    assertThrows(() => readModelFile(bytes, "x.onnx"), UserError, `Cannot load x.onnx: ${message}`);
  }
});

Deno.test("readModelFile() says where a file ends too early", () => {
  const bytes = fixture("rgb");
  const error = assertThrows(() => readModelFile(bytes.subarray(0, 2000), "x.onnx"), UserError);
  assertMatch(
    (error as Error).message,
    /^Cannot load x.onnx: it is cut off or not an ONNX model: the graph at byte \d+ needs \d+ bytes, and \d+ of the file's 2000 are left$/,
  );
});

Deno.test("readModelFile() lists weights in files beside it, and refuses them elsewhere", () => {
  /** graph { initializer { name: "w", data_location: EXTERNAL, external_data: ... } }, ir_version 8 */
  const fileWith = (place: string, more: [string, string][] = []) => {
    const text = (field: number, value: string) => {
      const bytes = new TextEncoder().encode(value);
      return [field << 3 | 2, bytes.length, ...bytes];
    };
    const entries = [["location", place], ...more].flatMap(([key, value]) => {
      const entry = [...text(1, key), ...text(2, value)];
      return [0x6a, entry.length, ...entry];
    });
    const tensor = [...text(8, "w"), 0x70, 1, ...entries];
    return Uint8Array.of(8, 8, 0x3a, tensor.length + 2, 0x2a, tensor.length, ...tensor);
  };
  for (const place of ["w.bin", "./w.bin", "parts/w 1.bin"]) {
    assertEquals([...readModelFile(fileWith(place), "x.onnx").weightFiles], [[place, 0]]);
  }
  const { weightFiles } = readModelFile(fileWith("w", [["offset", "64"], ["length", "8"]]), "x");
  assertEquals([...weightFiles], [["w", 72]]);
  assertThrows(
    () => readModelFile(fileWith("w", [["length", "long"]]), "x"),
    UserError,
    'its weight "w" lies at 0 of w, with long bytes',
  );
  for (const place of ["", "/etc/w", "../w", "a/../../w", "a\\b", "c:w", "http://a/w"]) {
    assertThrows(
      () => readModelFile(fileWith(place), "x.onnx"),
      UserError,
      `its weight "w" lies in ${JSON.stringify(place)}, no file beside it`,
    );
  }
});

Deno.test("describeGenerator() reads the manifest", () => {
  const { info, input } = describe(fixture("conditional"));
  assertEquals(info.output, {
    kind: "image",
    shape: [3, 8, 8],
    dtype: "float32",
    range: [-1, 1],
  });
  assertEquals(info.latent, { dimension: 8, distribution: "normal" });
  assertEquals(info.classNames, ["circle", "square", "star"]);
  assertEquals(input.label, { name: "label", type: "int64", rank: 1, classes: null });
  assertEquals([info.conditional, info.fixedBatch, info.manifest?.step], [true, null, 100]);
});

Deno.test("describeGenerator() makes sense of a file without a manifest", () => {
  const { info, input } = describe(fixture("fixed_batch"));
  assertEquals([input.latentName, input.latentShape, input.label], ["z", [6, 1, 1], null]);
  assertEquals([info.fixedBatch, info.manifest, info.latent.dimension], [2, null, 6]);
  assertEquals(info.output, {
    kind: "image",
    shape: [3, 8, 8],
    dtype: "float32",
    range: [-1, 1],
  });
  const plain = describe(fixture("plain"));
  assertEquals(plain.info.output, { dtype: "float32" }); // the rest takes a run
});

Deno.test("describeGenerator() refuses models whose inputs are not a generator's", () => {
  const hint =
    "; a generator takes one latent [N, D] of floats and perhaps one integer label [N] " +
    "(assume.latent, assume.label and assume.feeds name other inputs), and this model takes ";
  assertThrows(
    () => describe(fixture("two_inputs")),
    UserError,
    "Cannot sample from x.onnx: it has 2 float inputs that could be the latent; is the other " +
      'one a one-hot label (assume: { label: "one-hot" })?' + hint +
      '"a" (float32 [N, 3]), "b" (float32 [N, 3])',
  );
  assertThrows(
    () => describe(fixture("classifier")),
    UserError,
    'its input "image" (float32 [N, 1, 4, 4]) is not a latent of known length' + hint,
  );
});

/** The bytes with every `from` replaced by `to`, of the same length. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = String.fromCharCode(...bytes);
  assert(text.includes(from) && from.length === to.length);
  return Uint8Array.from(text.replaceAll(from, to), (letter) => letter.charCodeAt(0));
}

Deno.test("describeGenerator() refuses a newer, broken or contradicting manifest", () => {
  const bytes = fixture("points");
  const refuse = (from: string, to: string, message: string) => {
    const error = assertThrows(() => describe(replaced(bytes, from, to)), UserError) as Error;
    assertStringIncludes(error.message, message);
  };
  refuse(
    '"formatVersion":1',
    '"formatVersion":9',
    "Cannot load x.onnx: Cannot read a manifest of format 9: this version of ganforge knows",
  );
  refuse('{"formatVersion"', '["formatVersion"', "Cannot load x.onnx: ");
  refuse('"distribution":"uniform"', '"distribution":"gauss.."', "latent.distribution is");
  refuse(
    '"dimension":4',
    '"dimension":5',
    "Cannot load x.onnx: Cannot read the manifest as truncationMean is not 5 numbers",
  );
  refuse(
    '"classNames":null',
    '"classNames":[""]',
    "its manifest declares a latent of 4 values with a label, and its graph takes",
  );
});

Deno.test("describeGenerator() gives a result or a UserError for any damaged file", async () => {
  const damage = fc.record({
    file: fc.constantFrom(...["rgb", "points", "conditional", "plain"].map(fixture)),
    edits: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }),
    head: fc.boolean(), // most of a file is weights: aim at its structure half of the time
    keep: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.boolean(),
  }).map(({ file, edits, head, keep, cut }) => {
    const bytes = file.slice(0, cut ? Math.floor(keep * file.length) : file.length);
    for (const [at, value] of edits) {
      if (bytes.length > 0) bytes[at % (head ? Math.min(300, bytes.length) : bytes.length)] = value;
    }
    return bytes;
  });
  const refusal = /^Cannot (load|sample from) x\.onnx: [^\n]{10,}$/;
  const outcome = await fuzz(damage, describe, { seed: 4, refusal });
  assert(outcome.refused > 300 && outcome.read > 300, JSON.stringify(outcome));
});

Deno.test("readModelFile() gives a UserError for random bytes", async () => {
  const outcome = await fuzz(fc.uint8Array({ maxLength: 200 }), describe, { seed: 5 });
  assertEquals(outcome, { read: 0, refused: FUZZ_RUNS });
});

Deno.test("Sampler samples from a damaged file or refuses it, and from a whole one afterwards", async () => {
  const names = ["rgb", "points", "conditional", "uint8"];
  const files = fc.oneof(...names.map((name) => damagedBytes([fixture(name)])));
  const outcome = await fuzz(files, async (bytes) => {
    await using sampler = await Sampler.load(bytes, { device: "wasm", threads: 1 });
    const label = sampler.info.classNames ? { label: 0 } : {};
    const [sample] = await sampler.sample({ count: 1, seed: 3, ...label });
    assertEquals(sample.values.length, sample.shape.reduce((product, side) => product * side, 1));
  }, { seed: 6, runs: 2000, maxBytes: 1e9 }); // V8 collects late what WebAssembly held

  assert(outcome.read > 200 && outcome.refused > 300, JSON.stringify(outcome));
  await using whole = await load("rgb");
  await whole.sample({ count: 1, seed: 0 });
});
