import { assertEquals, assertThrows } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { packedShape, packSamples } from "../../src/objectives/packing.ts";

Deno.test("packSamples() joins samples of the batch's parts along the channels", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const vectors = tf.tensor([[1, 2], [3, 4], [5, 6], [7, 8]]);
    assertEquals(packSamples(vectors, 2).arraySync() as unknown, [[1, 2, 5, 6], [3, 4, 7, 8]]);
    assertEquals(packSamples(vectors, 1), vectors);
    const images = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8], [4, 1, 2, 1]);
    const packed = packSamples(images, 4);
    assertEquals(packed.shape, [1, ...packedShape([1, 2, 1], 4)]);
    assertEquals([...packed.dataSync()], [1, 3, 5, 7, 2, 4, 6, 8]);
  });
});

Deno.test("packSamples() refuses a batch that it cannot divide", () => {
  assertThrows(
    () => packSamples(tf.zeros([5, 2]), 2),
    RangeError,
    "Cannot pack 5 samples by 2: some would be left over",
  );
});
