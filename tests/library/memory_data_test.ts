/** A program's own arrays as data: what they become, and what is refused at the door. */
import { assertEquals, assertThrows } from "@std/assert";
import { imageData, tensorData, UserError } from "../../mod.ts";

Deno.test("imageData() gives bytes in [-1, 1], labels and class names", () => {
  const pixels = Uint8Array.of(0, 255, 51, 204, 0, 0, 255, 255);
  const data = imageData(pixels, { shape: [2, 2, 1], labels: [1, 0], classNames: ["a", "b"] });
  assertEquals([data.name, data.kind, data.count], ["data", "image", 2]);
  const { values, labels } = data.batch(Uint32Array.of(1, 0));
  assertEquals([...values.slice(0, 4)], [-1, -1, 1, 1]);
  assertEquals([...labels!], [0, 1]);
  assertEquals(data.classNames, ["a", "b"]);
  const clamped = imageData(Uint8ClampedArray.from(pixels), { shape: [2, 2, 1] });
  assertEquals(clamped.batch(Uint32Array.of(0)).values[1], 1);
  const part = imageData(new Uint8Array(pixels.buffer, 4), { shape: [2, 2, 1] });
  assertEquals([...part.batch(Uint32Array.of(0)).values], [-1, -1, 1, 1]);
});

Deno.test("imageData() and tensorData() take floats, and name classes by their numbers", () => {
  const images = imageData(Float32Array.of(-1, 0, 0.5), { shape: [1, 1, 3] });
  assertEquals([...images.batch(Uint32Array.of(0)).values], [-1, 0, 0.5]);
  const vectors = tensorData(Float32Array.of(5, -7, 1, 2), {
    shape: [2],
    labels: Uint8Array.of(0, 2),
    name: "mine",
  });
  assertEquals([vectors.name, vectors.kind, vectors.count], ["mine", "points", 2]);
  assertEquals(vectors.valueRange, [-7, 5]);
  assertEquals(vectors.classNames, ["0", "1", "2"]);
  const same = tensorData(Float32Array.of(5, -7, 1, 2), { shape: [2], labels: [0, 2] });
  assertEquals(same.fingerprint, vectors.fingerprint);
});

Deno.test("imageData() and tensorData() refuse what does not fit, with numbers", () => {
  const bytes = new Uint8Array(24);
  const floats = new Float32Array(24);
  // deno-lint-ignore no-explicit-any
  const anything = (value: unknown) => value as any;
  const cases: [make: () => unknown, message: string][] = [
    [() => imageData(anything([1, 2]), { shape: [1, 1, 1] }), "they are of type Array, expected"],
    [() => imageData(anything(null), { shape: [1, 1, 1] }), "they are of type Null, expected"],
    [
      () => tensorData(anything(bytes), { shape: [2] }),
      "of type Uint8Array, expected Float32Array",
    ],
    [() => imageData(bytes, anything(undefined)), "shape is undefined, expected the sizes"],
    [() => imageData(bytes, { shape: [2, 2.5, 3] }), "shape is [2,2.5,3]"],
    [() => imageData(bytes, { shape: [2, 3, 4] }), "with 1 or 3 channels"],
    [() => imageData(bytes, { shape: [24] }), "expected [height, width, channels]"],
    [() => imageData(bytes, { shape: [5, 1, 1] }), "24 elements are no whole number of samples"],
    [() => imageData(new Uint8Array(0), { shape: [1, 1, 1] }), "0 elements are no whole number"],
    [() => tensorData(floats, { shape: [2, 3, 1] }), "images go through imageData()"],
    [() => imageData(floats.map((_, i) => i), { shape: [2, 4, 1] }), "element 2 is 2, and floats"],
    [() => imageData(floats.map(() => NaN), { shape: [2, 4, 1] }), "element 0 is NaN"],
    [() => tensorData(floats.map(() => Infinity), { shape: [2] }), "element 0 is Infinity"],
    [() => imageData(bytes, { shape: [2, 4, 1], labels: [0, 1] }), "2 labels for 3 samples"],
    [() => imageData(bytes, { shape: [2, 4, 1], labels: [0, 1, -1] }), "label 2 is -1"],
    [() => imageData(bytes, { shape: [2, 4, 1], labels: [0, 1.5, 1] }), "label 1 is 1.5"],
    [
      () => imageData(bytes, { shape: [2, 4, 1], labels: [0, 1, 2], classNames: ["a", "b"] }),
      "from 0 to 1, as there are 2 classNames",
    ],
    [() => imageData(bytes, { shape: [2, 4, 1], classNames: ["a"] }), "without labels"],
    [() => imageData(bytes, { shape: [2, 4, 1], name: " " }), 'name is " "'],
  ];
  for (const [make, message] of cases) assertThrows(make, UserError, message);
});
