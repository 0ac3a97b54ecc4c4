import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { withDataPath } from "../../src/config/data.ts";
import { drawDigits } from "../../src/data/digits/draw_digits.ts";
import { openDataSource } from "../../src/data/open.ts";
import { stackDigits } from "../../src/data/stacked.ts";
import { UserError } from "../../src/errors.ts";

const digits = drawDigits({ count: 50, size: 8, seed: 3 });
const all = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);

Deno.test("stackDigits() puts three of the digits into the channels of an image, and their label together", () => {
  const data = stackDigits(digits, { count: 30, seed: 1 });
  assertEquals([...data.shape], [8, 8, 3]);
  assertEquals([data.count, data.classNames?.length, data.classNames?.[42]], [30, 1000, "042"]);
  const single = digits.batch(all(50));
  const digitOf = (pixels: Float32Array) => {
    const match = all(50).find((i) =>
      pixels.every((value, at) => value === single.values[64 * i + at])
    );
    assert(match !== undefined, "a channel is none of the digits");
    return single.labels![match];
  };
  const { values, labels } = data.batch(all(30));
  for (let i = 0; i < 30; i++) {
    const image = values.subarray(192 * i, 192 * (i + 1));
    const [a, b, c] = [0, 1, 2].map((channel) =>
      digitOf(image.filter((_, at) => at % 3 === channel))
    );
    assertEquals(labels![i], 100 * a + 10 * b + c);
  }
  assert(new Set(labels).size > 20, "the images hardly differ");
});

Deno.test("stackDigits() keeps the digits alone, and says which three of them make an image", () => {
  const { stored, labels } = stackDigits(digits, { count: 30, seed: 1 });
  assert(stored && stored.rows === digits.pixels);
  assertEquals([stored.rowSize, stored.rowsPerSample], [64, 3]);
  const rows = stored.rowsOf(Uint32Array.of(29, 4));
  const classes = Array.from(rows, (row) => digits.labels![row]);
  assertEquals(classes.map(String).join(""), [29, 4].map((i) => padded(labels![i])).join(""));
});

const padded = (label: number) => String(label).padStart(3, "0");

Deno.test("stackDigits() gives the same images for the same seed", () => {
  const make = (seed: number) => stackDigits(digits, { count: 10, seed });
  assertEquals(make(1).batch(all(10)), make(1).batch(all(10)));
  assertEquals(make(1).fingerprint, make(1).fingerprint);
  assert(make(1).fingerprint !== make(2).fingerprint);
  assertEquals(Array.from(make(7).labels!.subarray(0, 5)), FROZEN_LABELS);
});

const FROZEN_LABELS = [77, 540, 710, 822, 602];

Deno.test("stackDigits() takes gray images of ten classes only", () => {
  assertThrows(
    () => stackDigits(drawDigits({ count: 20, size: 8, channels: 3 }), { count: 2, seed: 0 }),
    UserError,
    "it takes gray images of ten classes, and these are [8, 8, 3] with 10 classes",
  );
});

Deno.test("openDataSource() stacks synthetic digits, and what lies at a path", async () => {
  const data = await openDataSource({ source: "stacked-mnist", size: 8, count: 12 });
  assertEquals([data.count, ...data.shape], [12, 8, 8, 3]);
  assertEquals(withDataPath({ source: "stacked-mnist", size: 28 }, "mnist/"), {
    source: "stacked-mnist",
    size: 28,
    path: "mnist/",
  });
  await assertRejects(
    () => openDataSource({ source: "stacked-mnist", path: "fixtures/no-such-folder" }),
    UserError,
    "no-such-folder",
  );
});
