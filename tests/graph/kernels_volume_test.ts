import { assert, assertEquals } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { exportOnnx } from "../../src/export/mod.ts";
import { openModel } from "../../src/ort/model_session.ts";
import { compare, normal } from "../export/support.ts";

type T5 = tf.Tensor5D;
type Triple = [number, number, number];

Deno.test("convolutions of volumes give TensorFlow.js' values", async (t) => {
  const cases: [size: Triple, kernel: Triple, stride: number | Triple, pad: "same" | "valid"][] = [
    [[4, 5, 6], [3, 3, 3], 1, "same"],
    [[4, 5, 6], [1, 2, 3], 1, "valid"],
    [[6, 7, 8], [3, 3, 3], 2, "same"],
    [[6, 7, 8], [2, 3, 4], [1, 2, 3], "valid"],
  ];
  for (const [size, kernel, stride, pad] of cases) {
    await t.step(`${size} kernel ${kernel} stride ${stride} pad ${pad}`, async () => {
      const inputs = { x: normal([2, ...size, 3], 1), w: normal([...kernel, 3, 4], 2) };
      const fn = (given: tf.NamedTensorMap) => tf.conv3d(given.x as T5, given.w as T5, stride, pad);
      const { difference, graph } = await compare({ fn, inputs });
      assert(difference < 1e-5, `differs by ${difference}`);
      assertEquals(graph.nodes.filter(({ op }) => op === "Conv").length, 1);
    });
  }
  await t.step("dilated, with a bias and an activation between", async () => {
    const inputs = { x: normal([2, 5, 6, 7, 3], 1), w: normal([2, 2, 2, 3, 3], 2) };
    const fn = ({ x, w }: tf.NamedTensorMap) => {
      const first = tf.relu(tf.add(tf.conv3d(x as T5, w as T5, 1, "same", "NDHWC", 2), [1, 2, 3]));
      return tf.conv3d(first as T5, w as T5, 1, "valid");
    };
    const { difference, graph } = await compare({ fn, inputs });
    assert(difference < 1e-5, `differs by ${difference}`);
    // Filters that are inputs, the volume as it comes and the result: none between the two.
    assertEquals(graph.nodes.filter(({ op }) => op === "Transpose").length, 3);
  });
});

Deno.test("transposed convolutions of volumes give TensorFlow.js' values", async () => {
  for (
    const [kernel, stride, output, pad] of [[4, 2, 6, "same"], [3, 2, 5, "same"], [
      3,
      1,
      5,
      "valid",
    ]] as const
  ) {
    const inputs = { x: normal([2, 3, 3, 3, 3], 1), w: normal([kernel, kernel, kernel, 4, 3], 2) };
    const { difference } = await compare({
      fn: ({ x, w }) =>
        tf.conv3dTranspose(x as T5, w as T5, [2, output, output, output, 4], stride, pad),
      inputs,
    });
    assert(difference < 2e-5, `kernel ${kernel} stride ${stride} differs by ${difference}`);
  }
});

Deno.test("pooling of volumes gives TensorFlow.js' values", async () => {
  const inputs = { x: normal([2, 4, 6, 7, 3], 1) };
  for (
    const [size, stride, pad] of [[2, 2, "valid"], [3, 2, "same"], [[1, 2, 3], 1, "same"]] as [
      number | Triple,
      number,
      "same",
    ][]
  ) {
    const { difference } = await compare({
      fn: ({ x }) => ({
        largest: tf.maxPool3d(x as T5, size, stride, pad),
        mean: tf.avgPool3d(x as T5, size, stride, pad),
      }),
      inputs,
    });
    assert(difference < 2e-6, `size ${size} stride ${stride} differs by ${difference}`);
  }
});

Deno.test("exportOnnx() writes a Layers model of volumes, blocks and running products", async () => {
  await tf.setBackend("cpu");
  const { layers } = tf;
  const model = tf.sequential({
    layers: [
      layers.dense({ units: 16, inputShape: [5] }),
      layers.reshape({ targetShape: [2, 2, 2, 2] }),
      layers.conv3dTranspose({ filters: 4, kernelSize: 4, strides: 2, padding: "same" }),
      layers.leakyReLU(),
      layers.conv3d({ filters: 2, kernelSize: 3, padding: "same", activation: "tanh" }),
      layers.maxPooling3d({ poolSize: 2 }),
    ],
  });
  const apply = (z: tf.Tensor) => {
    const volume = model.apply(z) as T5;
    const image = tf.reshape(volume, [-1, 4, 4, 1]);
    const space = tf.batchToSpaceND(tf.spaceToBatchND(image, [2, 2], [[0, 0], [0, 0]]), [2, 2], [
      [0, 0],
      [0, 0],
    ]);
    return tf.cumprod(tf.add(space, 1), 1);
  };
  const { bytes } = await exportOnnx({
    inputs: { z: { shape: [null, 5] } },
    fn: ({ z }: Record<string, tf.Tensor>) => apply(z),
  });
  const z = normal([3, 5], 5);
  const expected = apply(z);
  await using session = await openModel(bytes);
  const { output } = await session.run({
    z: { shape: [3, 5], dtype: "float32", data: z.dataSync() as Float32Array },
  });
  assertEquals(output.shape, expected.shape);
  const worst = Math.max(
    ...expected.dataSync().map((value, index) => Math.abs(value - output.data[index])),
  );
  assert(worst < 1e-5, `${worst}`);
});
