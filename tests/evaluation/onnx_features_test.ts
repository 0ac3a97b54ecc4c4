import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { UserError } from "../../src/errors.ts";
import type { OnnxNode, OnnxValueInfo } from "../../src/graph/onnx_graph.ts";
import { openOnnxExtractor } from "../../src/evaluation/onnx_features.ts";
import type { PixelBatch } from "../../src/evaluation/pixels.ts";
import { damagedBytes, fuzz } from "../fuzz.ts";
import { model, withFiles } from "./models.ts";

const FIXTURES = new URL("../../fixtures/pipeline/", import.meta.url).pathname;

interface Golden {
  pixels: number[];
  features: number[];
  probabilities: number[];
}

const golden: Golden = JSON.parse(Deno.readTextFileSync(`${FIXTURES}golden.json`));

function batchOf(data: Uint8Array, side: number, channels: 1 | 3): PixelBatch {
  return { data, count: data.length / side ** 2 / channels, height: side, width: side, channels };
}

/** A batch's features by the extractor of the fixtures. */
async function featuresOf(batch: PixelBatch): Promise<Float32Array> {
  const { height, width, channels } = batch;
  const extractor = await openOnnxExtractor(`${FIXTURES}extractor.onnx`, [height, width, channels]);
  const { features } = await extractor.extract(batch);
  await extractor.dispose();
  return features;
}

function assertNear(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 2e-6,
): void {
  assertEquals(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    assertAlmostEquals(actual[i], expected[i], tolerance, `number ${i}`);
  }
}

Deno.test("openOnnxExtractor() gives NumPy's features and probabilities", async () => {
  const extractor = await openOnnxExtractor(`${FIXTURES}extractor.onnx`, [8, 8, 3]);
  assertEquals([extractor.dimensions, extractor.classes], [4, 2]);
  const batch = batchOf(Uint8Array.from(golden.pixels), 8, 3);
  const { features, probabilities } = await extractor.extract(batch);
  assertNear(features, golden.features);
  assertNear(probabilities!, golden.probabilities);
  await extractor.dispose();
});

Deno.test("openOnnxExtractor() repeats gray as RGB, and resizes to the file's size", async () => {
  // From black on the left to white on the right, in steps of two pixels: 16 x 16 to 8 x 8.
  const ramp = Uint8Array.from({ length: 256 }, (_, i) => 32 * Math.floor(i % 16 / 2));
  const [red, green, blue, rise] = await featuresOf(batchOf(ramp, 16, 1));
  assertAlmostEquals(red, 112 / 255, 0.01);
  assertNear([green, blue], [red, red], 1e-6);
  assertAlmostEquals(rise, 32 / 255, 0.01);
  assertEquals(
    await featuresOf(batchOf(new Uint8Array(64).fill(255), 8, 1)),
    Float32Array.of(1, 1, 1, 0),
  );
});

const image = (dims: (number | string)[], dtype: OnnxValueInfo["dtype"] = "float32") => ({
  name: "image",
  dtype,
  dims,
});
const rows: OnnxValueInfo = { name: "rows", dtype: "float32", dims: ["N", "D"] };
const flatten: OnnxNode[] = [{ op: "Flatten", inputs: ["image"], outputs: ["rows"] }];

Deno.test("openOnnxExtractor() takes bytes, fixed batches and open sizes as the file asks for them", () =>
  withFiles({
    "bytes.onnx": model({
      inputs: [image([2, "C", "H", "W"], "uint8")],
      outputs: [rows],
      nodes: [
        { op: "Cast", inputs: ["image"], outputs: ["floats"], attributes: { to: 1 } },
        { op: "Flatten", inputs: ["floats"], outputs: ["rows"] },
      ],
    }),
    "signed.onnx": model({ inputs: [image(["N", 1, 1, 2])], outputs: [rows], nodes: flatten }),
  }, async (folder) => {
    const batch = { ...batchOf(Uint8Array.of(0, 51, 255, 7, 8, 9), 1, 1), count: 3, width: 2 };
    const bytes = await openOnnxExtractor(`${folder}/bytes.onnx`, [1, 2, 1]);
    assertEquals((await bytes.extract(batch)).features, Float32Array.of(0, 51, 255, 7, 8, 9));
    assertStringIncludes(bytes.description, "2 x 1 pixels as they are, as bytes");
    await bytes.dispose();
    const signed = await openOnnxExtractor(`${folder}/signed.onnx`, [1, 2, 1]);
    assertNear((await signed.extract(batch)).features.slice(0, 4), [-1, -0.6, 1, -0.9450980]);
    assertEquals(signed.classes, 0);
    await signed.dispose();
  }));

Deno.test("openOnnxExtractor() takes features from a damaged file, or refuses it", async () => {
  const cases = damagedBytes([Deno.readFileSync(`${FIXTURES}extractor.onnx`)]);
  const batch = batchOf(Uint8Array.from(golden.pixels), 8, 3);
  const folder = await Deno.makeTempDir();
  const path = `${folder}/x.onnx`;
  try {
    const outcome = await fuzz(cases, async (bytes) => {
      Deno.writeFileSync(path, bytes);
      const extractor = await openOnnxExtractor(path, [8, 8, 3]);
      try {
        const { features } = await extractor.extract(batch);
        assertEquals(features.length, batch.count * extractor.dimensions);
      } finally {
        await extractor.dispose();
      }
    }, { seed: 2, runs: 1000 });
    assert(outcome.read > 40 && outcome.refused > 100, JSON.stringify(outcome));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openOnnxExtractor() says what does not fit", () => {
  const extractor = (dims: (number | string)[], nodes = flatten, dtype?: OnnxValueInfo["dtype"]) =>
    model({ inputs: [image(dims, dtype)], outputs: [rows], nodes });
  const cases: Record<string, [file: Uint8Array | string, message: string]> = {
    "text.onnx": ["hello, this is text", "it is not an ONNX model"],
    "flat.onnx": [extractor(["N", 64]), "its input image is [?, 64]; an extractor takes one image"],
    "last.onnx": [extractor(["N", 8, 8, 3]), "with 8 channels (that looks like N, H, W, C)"],
    "int.onnx": [extractor(["N", 3, 8, 8], flatten, "int64"), "neither float32 nor uint8"],
    "two.onnx": [
      model({
        inputs: [image(["N", 3, 8, 8]), { ...image(["N", 3, 8, 8]), name: "mask" }],
        outputs: [rows],
        nodes: [
          { op: "Add", inputs: ["image", "mask"], outputs: ["sum"] },
          { op: "Flatten", inputs: ["sum"], outputs: ["rows"] },
        ],
      }),
      "it has 2 inputs (image, mask)",
    ],
    "maps.onnx": [
      model({
        inputs: [image(["N", 3, 8, 8])],
        outputs: [{ name: "maps", dtype: "float32", dims: ["N", 3, 8, 8] }],
        nodes: [{ op: "Relu", inputs: ["image"], outputs: ["maps"] }],
      }),
      "its output maps is [1, 3, 8, 8] for 1 images, expected [1, D]; pool or flatten it",
    ],
    "ints.onnx": [
      model({
        inputs: [image(["N", 3, 8, 8], "uint8")],
        outputs: [{ ...rows, dtype: "uint8" }],
        nodes: flatten,
      }),
      "its output rows is uint8, expected float32",
    ],
    "range.onnx": [
      model({
        inputs: [image(["N", 3, 8, 8])],
        outputs: [rows],
        nodes: flatten,
        metadata: { "ganforge.inputRange": "0..1" },
      }),
      "its metadata ganforge.inputRange is 0..1, expected two numbers such as [0, 1]",
    ],
    "op.onnx": [
      extractor(["N", 3, 8, 8], [{ op: "Flattn", inputs: ["image"], outputs: ["rows"] }]),
      "ONNX Runtime refuses it",
    ],
  };
  const files = Object.fromEntries(Object.entries(cases).map(([name, [file]]) => [name, file]));
  return withFiles(files, async (folder) => {
    for (const [name, [, message]] of Object.entries(cases)) {
      const path = `${folder}/${name}`;
      const error = await assertRejects(() => openOnnxExtractor(path, [8, 8, 3]), UserError);
      assertStringIncludes(error.message, name);
      assertStringIncludes(error.message, message);
    }
  });
});
