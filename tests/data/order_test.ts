import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { epochOrder, randomSubset, shuffledBatches } from "../../src/data/order.ts";
import { UserError } from "../../src/errors.ts";

Deno.test("shuffledBatches() visits samples at most once an epoch, and drops the incomplete batch", () => {
  const order = shuffledBatches({ count: 10, batchSize: 3, seed: 1 });
  assertEquals(order.stepsPerEpoch, 3);
  const epoch = [0, 1, 2].flatMap((step) => [...order.indices(step)]);
  assertEquals(epoch.length, 9);
  assertEquals(new Set(epoch).size, 9);
  assertEquals(epoch, [...epochOrder(10, { seed: 1, epoch: 0 })].slice(0, 9));
});

Deno.test("shuffledBatches() gives a step the same samples in whatever sequence steps are asked for", () => {
  const options = { count: 12, batchSize: 4, seed: 7 };
  const through = shuffledBatches(options);
  const inOrder = Array.from({ length: 9 }, (_, step) => [...through.indices(step)]);
  for (const step of [8, 0, 5, 3]) {
    assertEquals([...shuffledBatches(options).indices(step)], inOrder[step]);
    assertEquals([...through.indices(step)], inOrder[step]);
  }
});

Deno.test("shuffledBatches() shuffles anew in each epoch and for each seed", () => {
  const order = shuffledBatches({ count: 100, batchSize: 100, seed: 3 });
  const first = order.indices(0);
  assertNotEquals([...first], [...order.indices(1)]);
  assertEquals([0, 1, 2].map((step) => order.epochOf(step)), [0, 1, 2]);
  assertNotEquals(
    [...first],
    [...shuffledBatches({ count: 100, batchSize: 100, seed: 4 }).indices(0)],
  );
});

Deno.test("shuffledBatches() has a frozen order", () => {
  const order = shuffledBatches({ count: 8, batchSize: 4, seed: 42 });
  assertEquals([0, 1, 2].map((step) => [...order.indices(step)]), FROZEN_ORDER);
});

const FROZEN_ORDER = [[4, 2, 1, 3], [6, 7, 5, 0], [1, 0, 3, 5]];

Deno.test("shuffledBatches() refuses a batch that is larger than the data", () => {
  assertThrows(
    () => shuffledBatches({ count: 5, batchSize: 6, seed: 0 }),
    UserError,
    "A batch of 6 is larger than the data set, which has 5 samples: choose a batch of at most 5",
  );
});

Deno.test("randomSubset() picks distinct samples, ascending, by seed", () => {
  const subset = randomSubset(50, { wanted: 20, seed: 1 });
  assertEquals(new Set(subset).size, 20);
  assertEquals([...subset], [...subset].sort((a, b) => a - b));
  assertEquals(subset, randomSubset(50, { wanted: 20, seed: 1 }));
  assertNotEquals(subset, randomSubset(50, { wanted: 20, seed: 2 }));
});
