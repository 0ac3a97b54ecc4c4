import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  memorization,
  nearestNeighbors,
  nearestOthers,
  sampleMatrix,
} from "../../src/metrics/mod.ts";
import { rowProducts, type SampleMatrix } from "../../src/metrics/sample_matrix.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { golden, rows } from "./golden.ts";

const real = rows(golden.real, golden.dimensions);
const fake = rows(golden.fake, golden.dimensions);

function normalRows(count: number, dimensions: number, seed: number): SampleMatrix {
  return sampleMatrix(
    fillNormal(new Float32Array(count * dimensions), { seed, stream: 0, step: 0 }),
    dimensions,
  );
}

Deno.test("rowProducts() fills every corner, whatever the number of rows", () => {
  for (const [m, n, d] of [[1, 1, 1], [4, 4, 3], [5, 7, 2], [9, 3, 5], [8, 6, 4]]) {
    const [a, b] = [normalRows(m, d, m), normalRows(n, d, 100 + n)];
    const out = new Float64Array(m * n).fill(NaN);
    rowProducts(a, b, out);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < d; k++) sum += a.data[i * d + k] * b.data[j * d + k];
        assertAlmostEquals(out[i * n + j], sum, 1e-12, `${m}x${n}x${d} at ${i}, ${j}`);
      }
    }
  }
});

Deno.test("nearestNeighbors() gives NumPy's neighbors and distances", () => {
  const { indices, distances } = nearestNeighbors(fake, real, 3);
  assertEquals([...indices], golden.nearestIndices);
  distances.forEach((distance, i) =>
    assertAlmostEquals(distance, golden.nearestDistances[i], 1e-6)
  );
});

Deno.test("nearestNeighbors() and nearestOthers() agree with a plain search across blocks", () => {
  const matrix = normalRows(600, 3, 8); // three blocks of 256
  const others = nearestOthers(matrix, 2);
  const plain = nearestNeighbors(matrix, matrix, 3);
  for (let i = 0; i < matrix.count; i++) {
    assertEquals(plain.indices[3 * i], i);
    assertEquals(others.indices.slice(2 * i, 2 * i + 2), plain.indices.slice(3 * i + 1, 3 * i + 3));
    assertEquals(
      others.distances.slice(2 * i, 2 * i + 2),
      plain.distances.slice(3 * i + 1, 3 * i + 3),
    );
  }
});

Deno.test("nearestNeighbors() refuses more neighbors than rows", () => {
  assertThrows(
    () => nearestNeighbors(fake, real, 61),
    RangeError,
    "Cannot find 61 neighbors among 60 rows",
  );
  assertThrows(() => nearestOthers(real, 60), RangeError, "60 neighbors among 59 rows");
});

Deno.test("memorization() tells copies from new samples", () => {
  const training = normalRows(500, 6, 1);
  const fresh = memorization(normalRows(100, 6, 2), training);
  assertAlmostEquals(fresh.ratio, 1, 0.1);
  assertAlmostEquals(fresh.copies, 0.01, 0.04);

  const copied = sampleMatrix(training.data.slice(0, 100 * 6).map((x) => x + 1e-3), 6);
  const found = memorization(copied, training);
  assertEquals([...found.nearest], Array.from({ length: 100 }, (_, i) => i));
  assertAlmostEquals(found.medianDistance, 1e-3 * Math.sqrt(6), 1e-5);
  assertEquals(found.copies, 1);
});

Deno.test("memorization() does not blame a generator for duplicates in the data", () => {
  const once = normalRows(50, 4, 3);
  const twice = sampleMatrix(Float32Array.from([...once.data, ...once.data]), 4);
  const found = memorization(once, twice);
  assertEquals(found.medianTrainingDistance, 0);
  assertEquals(found.copies, 0);
});
