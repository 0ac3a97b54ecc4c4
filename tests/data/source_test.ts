import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { floatSource, imageSource } from "../../src/data/source.ts";

const pixels = Uint8Array.from([0, 255, 127, 128, 51, 204]); // three images of 1 x 2 pixels
const parts = { name: "x", description: "x", shape: [1, 2, 1] };

Deno.test("imageSource() brings bytes to [-1, 1] as x / 127.5 - 1", () => {
  const { values, labels } = imageSource(pixels, parts).batch(new Uint32Array([2, 0]));
  const expected = [51 / 127.5 - 1, 204 / 127.5 - 1, -1, 1].map(Math.fround);
  assertEquals(Array.from(values), expected);
  assertEquals(labels, undefined);
});

Deno.test("imageSource() gives each sample its label and names the classes", () => {
  const source = imageSource(pixels, { ...parts, labels: Int32Array.from([1, 0, 2]) });
  assertEquals(source.batch(new Uint32Array([2, 2, 0])).labels, Int32Array.from([2, 2, 1]));
  assertEquals(source.classNames, ["0", "1", "2"]);
  assertEquals([source.count, source.sampleSize, source.kind], [3, 2, "image"]);
});

Deno.test("writeBatch() fills the given array as batch() does", () => {
  const source = imageSource(pixels, parts);
  const indices = new Uint32Array([1, 0, 2, 1]);
  const out = new Float32Array(8);
  source.writeBatch(out, indices);
  assertEquals(out, source.batch(indices).values);
});

Deno.test("writeBatch() refuses unknown samples and arrays of another length", () => {
  const source = imageSource(pixels, parts);
  assertThrows(
    () => source.batch(new Uint32Array([0, 3])),
    RangeError,
    "There is no sample 3: there are 3",
  );
  assertThrows(
    () => source.writeBatch(new Float32Array(3), new Uint32Array([0])),
    RangeError,
    "needs 2 values: the array has 3",
  );
});

Deno.test("stored samples are the array itself, and what each byte stands for", () => {
  const { stored } = imageSource(pixels, parts);
  assert(stored?.rows === pixels);
  assertEquals([stored.rowSize, stored.rowsPerSample], [2, 1]);
  assertEquals(stored.rowsOf(new Uint32Array([2, 0])), new Uint32Array([2, 0]));
  const expected = Float32Array.from({ length: 256 }, (_, byte) => byte / 127.5 - 1);
  assertEquals(stored.byteValues, expected);
  const values = Float32Array.from([-3, 1, 0.5, 2]);
  const points = floatSource(values, { ...parts, shape: [2], kind: "points" });
  assert(points.stored?.rows === values);
  assertEquals(points.stored.byteValues, undefined);
});

Deno.test("a source's fingerprint changes with samples, labels and shape, not with its name", () => {
  const base = imageSource(pixels, parts).fingerprint;
  assertEquals(imageSource(pixels.slice(), { ...parts, name: "y" }).fingerprint, base);
  const others = [
    imageSource(pixels.with(0, 1), parts),
    imageSource(pixels, { ...parts, shape: [2, 1, 1] }),
    imageSource(pixels, { ...parts, labels: Int32Array.from([0, 0, 1]) }),
  ];
  for (const { fingerprint } of others) assert(fingerprint !== base);
  assertEquals(base.length, 64);
});

Deno.test("floatSource() keeps points as they are and knows their range", () => {
  const source = floatSource(Float32Array.from([-3, 1, 0.5, 2]), {
    ...parts,
    shape: [2],
    kind: "points",
  });
  assertEquals(source.valueRange, [-3, 2]);
  assertEquals(Array.from(source.batch(new Uint32Array([1])).values), [0.5, 2]);
  assertAlmostEquals(source.count, 2);
});

Deno.test("a source is not made of part of a sample, or of labels that do not match", () => {
  assertThrows(() => imageSource(pixels.subarray(1), parts), RangeError, "5 values are not");
  assertThrows(
    () => imageSource(pixels, { ...parts, labels: new Int32Array(2) }),
    RangeError,
    "Cannot label 3 samples with 2 labels",
  );
});
