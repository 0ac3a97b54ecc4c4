/** Arrays as people save them: any type, any order, in .npz files, with labels beside them. */
import { assertEquals, assertRejects } from "@std/assert";
import { zipSync } from "fflate";
import { openDataSource } from "../../src/data/open.ts";
import { UserError } from "../../src/errors.ts";
import { npyBytes, npyOf, put, withFolder } from "./helpers.ts";

const SHAPE = [3, 4, 5] as const;
/** Three images of 5 x 4 pixels that use all of 0 to 255. */
const PIXELS = Uint8Array.from({ length: 60 }, (_, i) => i === 59 ? 255 : i * 4);

/** The elements of the images as a type of NumPy's. */
function elements(bytesEach: number, write: (view: DataView, at: number, value: number) => void) {
  const view = new DataView(new ArrayBuffer(60 * bytesEach));
  for (const [i, value] of PIXELS.entries()) write(view, i * bytesEach, value);
  return new Uint8Array(view.buffer);
}

Deno.test("openDataSource() reads the same images from arrays of every type, byte order and axis order", async () => {
  const cases: [string, Uint8Array<ArrayBuffer>][] = [
    ["<i8", elements(8, (view, at, value) => view.setBigInt64(at, BigInt(value), true))],
    [">i8", elements(8, (view, at, value) => view.setBigInt64(at, BigInt(value)))],
    ["<u8", elements(8, (view, at, value) => view.setBigUint64(at, BigInt(value), true))],
    ["<i4", elements(4, (view, at, value) => view.setInt32(at, value, true))],
    [">u4", elements(4, (view, at, value) => view.setUint32(at, value))],
    ["<i2", elements(2, (view, at, value) => view.setInt16(at, value, true))],
    [">u2", elements(2, (view, at, value) => view.setUint16(at, value))],
    ["<f4", elements(4, (view, at, value) => view.setFloat32(at, value / 255, true))],
    [">f4", elements(4, (view, at, value) => view.setFloat32(at, value / 255))],
    ["<f8", elements(8, (view, at, value) => view.setFloat64(at, value / 255, true))],
    ["<f4", elements(4, (view, at, value) => view.setFloat32(at, value, true))],
  ];
  await withFolder(async (folder) => {
    const open = (path: string) => openDataSource({ source: "auto", path });
    const plain = await open(await put(`${folder}/u1/a.npy`, npyOf("|u1", SHAPE, PIXELS)));
    assertEquals([plain.kind, plain.shape, plain.pixels], ["image", [4, 5, 1], PIXELS]);
    for (const [i, [type, bytes]] of cases.entries()) {
      const source = await open(await put(`${folder}/${i}/a.npy`, npyOf(type, SHAPE, bytes)));
      assertEquals(source.fingerprint, plain.fingerprint, type);
    }
    const turned = new Uint8Array(60); // the first axis runs fastest
    for (let n = 0; n < 3; n++) {
      for (let y = 0; y < 4; y++) {
        for (let x = 0; x < 5; x++) turned[n + 3 * (y + 4 * x)] = PIXELS[(n * 4 + y) * 5 + x];
      }
    }
    const header = "{'descr': '|u1', 'fortran_order': True, 'shape': (3, 4, 5), }";
    const fortran = await open(await put(`${folder}/f/a.npy`, npyBytes(header, turned)));
    assertEquals(fortran.fingerprint, plain.fingerprint);
  });
});

Deno.test("openDataSource() takes black and white from type and values, says so, and lets data.range decide", async () => {
  await withFolder(async (folder) => {
    const open = async (
      type: string,
      values: ArrayBufferView<ArrayBuffer>,
      range?: [number, number],
    ) => {
      const path = await put(`${folder}/a.npy`, npyOf(type, [1, 2, 2], values));
      const source = await openDataSource({ source: "npy", path, ...(range ? { range } : {}) });
      return { values: [...source.batch(Uint32Array.of(0)).values], notes: source.notes };
    };
    const unit = await open("<f4", Float32Array.of(0, 0.25, 0.5, 1));
    assertEquals(unit.values, [-1, -0.5, 0, 1]);
    assertEquals(unit.notes, ["values from 0 to 1, scaled to [-1, 1] (data.range decides)"]);
    const signed = await open("<f4", Float32Array.of(-1, 0.25, 0.5, 1));
    assertEquals([signed.values, signed.notes], [[-1, 0.25, 0.5, 1], []]);
    const half = await open("<f2", Uint16Array.of(0, 0x3800, 0x3c00, 0x3400)); // 0, 0.5, 1, 0.25
    assertEquals(half.values, [-1, 0, 1, -0.5]);
    assertEquals((await open("|b1", Uint8Array.of(0, 1, 1, 0))).values, [-1, 1, 1, -1]);
    const mask = await open("|u1", Uint8Array.of(0, 1, 1, 0));
    assertEquals(mask.values, [-1, 1, 1, -1]);
    assertEquals(mask.notes, [
      "values are 0 and 1 only, taken as black and white (data.range decides)",
    ]);
    const deep = await open("<u2", Uint16Array.of(0, 65535, 32768, 13107));
    assertEquals(deep.values.map((value) => Math.round(value * 100)), [-100, 100, 0, -60]);
    const dark = await open("<u2", Uint16Array.of(0, 4095, 2048, 0));
    assertEquals(dark.notes, [
      "the brightest value is 4095 of 65535, so that images are nearly black; --set " +
      "data.range=[0,4095] makes it white",
    ]);
    const twelve = await open("<u2", Uint16Array.of(0, 4095, 2048, 0), [0, 4095]);
    assertEquals(twelve.values.map((value) => Math.round(value * 100)), [-100, 100, 0, -100]);
    const cut = await open("<i2", Int16Array.of(-2000, -1000, 0, 3000), [-1000, 1000]);
    assertEquals(cut.values, [-1, -1, 0, 1]);
    assertEquals(cut.notes, ["50% of the values are outside, and were cut"]);
    await assertRejects(
      () => open("<i2", Int16Array.of(-2000, 0, 5, 9)),
      UserError,
      "its values go from -2000 to 9, which is neither [0, 255], [0, 1] nor [-1, 1]; say what is black " +
        "and white by --set data.range=[-2000,9]",
    );
    const int8 = await open("|i1", Int8Array.of(0, 100, 50, 127));
    assertEquals(int8.values.map((value) => Math.round((value + 1) * 127.5)), [0, 100, 50, 127]);
  });
});

Deno.test("openDataSource() resizes float images as 8-bit ones, and says so", async () => {
  await withFolder(async (folder) => {
    const values = Float32Array.from({ length: 16 }, (_, i) => i / 15.3);
    const path = await put(`${folder}/a.npy`, npyOf("<f4", [1, 4, 4], values.map((v) => v - 0.5)));
    const source = await openDataSource({ source: "auto", path, size: 2 });
    assertEquals(source.shape, [2, 2, 1]);
    assertEquals(source.notes, ["rounded to 8 bits, to be resized"]);
  });
});

Deno.test("openDataSource() takes bytes in rows of a square number as images, and others as points", async () => {
  await withFolder(async (folder) => {
    const flat = await put(
      `${folder}/a.npy`,
      npyOf("|u1", [2, 784], new Uint8Array(1568).fill(200)),
    );
    const source = await openDataSource({ source: "auto", path: flat });
    assertEquals(source.shape, [28, 28, 1]);
    assertEquals(source.notes, ["rows of 784 bytes were taken as images of 28 x 28 pixels"]);
    const few = await put(`${folder}/b.npy`, npyOf("|u1", [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)));
    const points = await openDataSource({ source: "auto", path: few });
    assertEquals([points.kind, points.shape, points.count], ["points", [3], 2]);
  });
});

Deno.test("openDataSource() finds the labels of an array beside it", async () => {
  await withFolder(async (folder) => {
    const images = npyOf("|u1", SHAPE, PIXELS);
    const path = await put(`${folder}/images.npy`, images);
    await put(`${folder}/labels.npy`, npyOf("<i8", [3], BigInt64Array.of(7n, -1n, 7n)));
    const source = await openDataSource({ source: "auto", path });
    assertEquals([[...source.labels!], source.classNames], [[1, 0, 1], ["-1", "7"]]);
    assertEquals(source.notes, [`labels from ${folder}/labels.npy`]);
    const whole = await openDataSource({ source: "auto", path: folder });
    assertEquals(whole.fingerprint, source.fingerprint);

    const train = await put(`${folder}/s/x_train.npy`, images);
    await put(`${folder}/s/x_test.npy`, images);
    await put(`${folder}/s/y_test.npy`, npyOf("|u1", [3], Uint8Array.of(5, 5, 5)));
    const texts = new Uint32Array(9);
    for (const [i, word] of ["cat", "dog", "ant"].entries()) {
      for (const [k, letter] of [...word].entries()) texts[3 * i + k] = letter.charCodeAt(0);
    }
    await put(`${folder}/s/y_train.npy`, npyOf("<U3", [3], texts));
    const named = await openDataSource({ source: "auto", path: train });
    assertEquals([[...named.labels!], named.classNames], [[1, 2, 0], ["ant", "cat", "dog"]]);
    const test = await openDataSource({ source: "auto", path: `${folder}/s`, split: "test" });
    assertEquals(test.classNames, ["5"]);
    await put(`${folder}/labels.npy`, npyOf("<f4", [3], Float32Array.of(1, 2.5, 0)));
    await assertRejects(
      () => openDataSource({ source: "auto", path }),
      UserError,
      `Cannot use ${folder}/labels.npy as labels: label 1 is 2.5, and classes are whole numbers or texts`,
    );
  });
});

Deno.test("openDataSource() reads mnist.npz, MedMNIST's .npz and one-hot labels", async () => {
  const images = npyOf("|u1", SHAPE, PIXELS);
  const others = npyOf("|u1", [1, 4, 5], PIXELS.subarray(0, 20));
  await withFolder(async (folder) => {
    const mnist = await put(
      `${folder}/mnist.npz`,
      zipSync({
        "x_test.npy": others,
        "x_train.npy": images,
        "y_train.npy": npyOf("|u1", [3], Uint8Array.of(5, 0, 4)),
        "y_test.npy": npyOf("|u1", [1], Uint8Array.of(7)),
      }),
    );
    const source = await openDataSource({ source: "auto", path: mnist });
    assertEquals([source.name, source.pixels], ["mnist", PIXELS]);
    assertEquals([[...source.labels!], source.classNames], [[2, 0, 1], ["0", "4", "5"]]);
    assertEquals(source.notes, ["took the array x_train; left out x_test, y_test"]);
    const test = await openDataSource({ source: "npy", path: mnist, split: "test" });
    assertEquals([test.count, test.classNames], [1, ["7"]]);

    const medical = await put(
      `${folder}/pathmnist.npz`,
      zipSync({
        "train_images.npy": npyOf("|u1", [1, 4, 5, 3], PIXELS),
        "train_labels.npy": npyOf("|u1", [1, 1], Uint8Array.of(3)),
        "val_images.npy": others,
        "val_labels.npy": npyOf("|u1", [1, 1], Uint8Array.of(0)),
        "test_images.npy": others,
        "test_labels.npy": npyOf("|u1", [1, 1], Uint8Array.of(0)),
      }),
    );
    const path = await openDataSource({ source: "auto", path: medical });
    assertEquals([path.shape, path.count, path.classNames], [[4, 5, 3], 1, ["3"]]);

    const hot = await put(
      `${folder}/hot.npz`,
      zipSync({
        "images.npy": images,
        "labels.npy": npyOf("<f4", [3, 2], Float32Array.of(0, 1, 1, 0, 0, 1)),
      }),
    );
    assertEquals([...(await openDataSource({ source: "auto", path: hot })).labels!], [1, 0, 1]);
    const several = await put(
      `${folder}/several.npz`,
      zipSync({
        "images.npy": images,
        "labels.npy": npyOf("|u1", [3, 2], Uint8Array.of(1, 1, 0, 0, 0, 1)),
      }),
    );
    const unlabeled = await openDataSource({ source: "auto", path: several });
    assertEquals(unlabeled.labels, undefined);
    assertEquals(unlabeled.notes, [
      `${several}/labels.npy has several labels a sample: they are left out`,
    ]);
  });
});

Deno.test("openDataSource() asks which of several arrays is meant, and takes it by data.subset", async () => {
  await withFolder(async (folder) => {
    const path = await put(
      `${folder}/two.npz`,
      zipSync({
        "left.npy": npyOf("|u1", SHAPE, PIXELS),
        "right.npy": npyOf("|u1", SHAPE, PIXELS.toReversed()),
        "kind.npy": npyOf("|u1", [3], Uint8Array.of(0, 1, 1)),
      }),
    );
    await assertRejects(
      () => openDataSource({ source: "auto", path }),
      UserError,
      `Cannot choose the samples in ${path}: it holds kind (|u1 3), left (|u1 3x4x5), right (|u1 ` +
        `3x4x5); name one by --set data.subset=`,
    );
    const right = await openDataSource({
      source: "auto",
      path,
      subset: "right",
      label: "kind",
    });
    assertEquals([right.pixels![0], [...right.labels!]], [255, [0, 1, 1]]);
    await assertRejects(
      () => openDataSource({ source: "auto", path, subset: "right", label: "none" }),
      UserError,
      'Cannot take classes from the array "none"',
    );
  });
});
