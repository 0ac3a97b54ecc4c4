import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { dataSchema, type DataSpec, withDataPath } from "../../src/config/data.ts";
import { openDataSource } from "../../src/data/open.ts";
import { UserError } from "../../src/errors.ts";
import { FIXTURES, put, withFolder } from "./helpers.ts";

Deno.test("openDataSource() draws toy data and digits as asked", async () => {
  const mixture = await openDataSource({
    source: "mixture-1d",
    count: 50,
    seed: 1,
    components: [{ weight: 1, mean: 4, sigma: 0.1 }],
  });
  assertEquals([mixture.count, mixture.shape, mixture.density?.modes.length], [50, [1], 1]);
  assertEquals(mixture.batch(new Uint32Array([0])).values[0] > 3, true);
  for (const source of ["normal-1d", "ring-2d", "grid-2d"] as const) {
    const data = await openDataSource({ source, count: 10 });
    assertEquals([data.name, data.count], [source, 10]);
  }
  const digits = await openDataSource({
    source: "digits",
    count: 12,
    size: 20,
    channels: 3,
    seed: 5,
  });
  assertEquals([digits.shape, digits.count, digits.classNames?.length], [[20, 20, 3], 12, 10]);
});

Deno.test("openDataSource() says what a source needs a path for", async () => {
  const cases: [DataSpec["source"], string][] = [
    [
      "mnist",
      "train-labels-idx1-ubyte (or t10k-...), each plain or .gz, in a folder by --data PATH, " +
      "or fetch them by --download",
    ],
    ["cifar-10", "cifar-10-binary.tar.gz by --data PATH, or fetch them by --download"],
    ["images", "a folder, .zip or .tar.gz of image files"],
    ["npy", "a .npy or .npz file"],
    ["csv", "a .csv file"],
    ["auto", "a file or folder of data by --data PATH"],
  ];
  for (const [source, message] of cases) {
    const error = await assertRejects(() => openDataSource({ source }), UserError, message);
    assertEquals(error.message.startsWith(`The data "${source}" need a path: name `), true);
  }
});

Deno.test("openDataSource() says what is not at a path", async () => {
  await withFolder(async (folder) => {
    const open = (spec: DataSpec) => () => openDataSource(spec);
    await assertRejects(
      open({ source: "auto", path: `${folder}/none` }),
      UserError,
      `Cannot read ${folder}/none: there is no such file or folder`,
    );
    await assertRejects(
      open({ source: "auto", path: folder }),
      UserError,
      `Cannot find data in ${folder}: looked for MNIST (train-images-idx3-ubyte or ` +
        `t10k-images-idx3-ubyte, plain or .gz), CIFAR (data_batch_1.bin or train.bin), .npz, .npy and ` +
        `.csv files and images (JPEG, PNG, WebP, GIF, AVIF or TIFF, by name or by their first bytes, in ` +
        `sub-folders too), and it holds no files`,
    );
    await put(`${folder}/a.npy`, "x");
    await assertRejects(
      open({ source: "images", path: folder }),
      UserError,
      `Cannot find data in ${folder}: looked for images (JPEG, PNG, WebP, GIF, AVIF or TIFF, by name or by their ` +
        `first bytes, in sub-folders too), and it holds a.npy`,
    );
    await assertRejects(
      open({ source: "mnist", path: folder }),
      UserError,
      `Cannot find data in ${folder} for the source "mnist": looked for train-images-idx3-ubyte and`,
    );
    await put(`${folder}/b.xyz`, "he\u0001lo");
    await assertRejects(
      open({ source: "auto", path: `${folder}/b.xyz` }),
      UserError,
      `Cannot recognize ${folder}/b.xyz: it starts with 68 65 01 6c; known are MNIST's IDX files`,
    );
    await put(`${folder}/c.bin`, "");
    await assertRejects(
      open({ source: "auto", path: `${folder}/c.bin` }),
      UserError,
      `Cannot read ${folder}/c.bin: the file is empty (0 bytes)`,
    );
    await assertRejects(
      open({ source: "auto", path: `${folder}/b.xyz/inner` }),
      UserError,
      "a part of the path is a file, not a folder",
    );
  });
  await assertRejects(
    () => openDataSource({ source: "auto", path: `${FIXTURES}/images/rgb.jpg` }),
    UserError,
    "it is a single image; name the folder it is in",
  );
});

Deno.test("openDataSource() refuses data of another kind than the user said", async () => {
  const path = `${FIXTURES}/npy/rgb-u8.npy`;
  await assertRejects(
    () => openDataSource({ source: "cifar-10", path }),
    UserError,
    `Cannot read ${path} as "cifar-10": it looks like "npy"; take the source "auto" to read it as ` +
      `what it is`,
  );
  await assertRejects(
    () => openDataSource({ source: "cifar-10", path: `${FIXTURES}/idx` }),
    UserError,
    `Cannot find data in ${FIXTURES}/idx for the source "cifar-10": looked for data_batch_1.bin to`,
  );
});

Deno.test("openDataSource() asks which of two data sets in one folder is meant", async () => {
  await withFolder(async (folder) => {
    await put(`${folder}/data_batch_1.bin`, new Uint8Array(3073));
    await Deno.copyFile(
      `${FIXTURES}/idx/train-images-idx3-ubyte`,
      `${folder}/train-images-idx3-ubyte`,
    );
    await assertRejects(
      () => openDataSource({ source: "auto", path: folder }),
      UserError,
      `Cannot choose in ${folder}: it holds mnist and cifar-10; say which by --set data.source=mnist`,
    );
    assertEquals((await openDataSource({ source: "mnist", path: folder })).count, 5);
    assertEquals((await openDataSource({ source: "cifar-10", path: folder })).count, 1);
  });
});

Deno.test("openDataSource() refuses options that the recognized data have no use for", async () => {
  await assertRejects(
    () => openDataSource({ source: "auto", path: `${FIXTURES}/idx`, background: 0 }),
    UserError,
    'Cannot use the data options: data.background: the source "mnist" has no use for "background"',
  );
});

Deno.test("openDataSource() resizes and recolors MNIST and picks a part of it", async () => {
  const path = `${FIXTURES}/idx`;
  const source = await openDataSource({ source: "mnist", path, size: 8, channels: 3, count: 4 });
  assertEquals([source.shape, source.count, source.labels!.length], [[8, 8, 3], 4, 4]);
  assertEquals(source.classNames, ["0", "1", "2", "3"]);
  await assertRejects(
    () => openDataSource({ source: "mnist", path, count: 6 }),
    UserError,
    `train-images-idx3-ubyte, train split: there are 5; lower "count"`,
  );
});

Deno.test("dataSchema refuses options that a source would ignore, and unknown ones", () => {
  const accepted: DataSpec[] = [
    { source: "digits", size: 28, channels: 1, count: 100, seed: 1 },
    { source: "images", path: "x", background: 0 },
    { source: "mixture-1d", components: [{ weight: 1, mean: 0, sigma: 1 }] },
  ];
  for (const spec of accepted) assertEquals(dataSchema.parse(spec), spec);
  const refused: [unknown, string][] = [
    [
      { source: "ring-2d", size: 8 },
      'the source \\"ring-2d\\" has no use for \\"size\\"; it takes count',
    ],
    [{ source: "digits", components: [] }, "components"],
    [{ source: "digits", sice: 8 }, "sice"],
    [{ source: "images", channels: 2 }, "channels"],
    [{ source: "digits", count: 0 }, "count"],
    [{ source: "photos" }, "source"],
    [{ source: "mixture-1d", components: [{ weight: 0, mean: 0, sigma: 1 }] }, "weight"],
  ];
  for (const [spec, message] of refused) {
    assertThrows(() => dataSchema.parse(spec), Error, message);
  }
});

Deno.test("withDataPath() keeps what a preset's networks need, and nothing of what it drew", () => {
  const preset: DataSpec = { source: "digits", size: 28, channels: 1, count: 100, seed: 3 };
  assertEquals(withDataPath(preset, "x"), {
    source: "auto",
    path: "x",
    size: 28,
    channels: 1,
    seed: 3,
  });
  const mixture: DataSpec = {
    source: "mixture-1d",
    components: [{ weight: 1, mean: 0, sigma: 1 }],
  };
  assertEquals(withDataPath(mixture, "x.csv"), { source: "auto", path: "x.csv" });
});

Deno.test("openDataSource() cuts any images to height x width, and refuses to draw digits so", async () => {
  const npy = await openDataSource({
    source: "npy",
    path: `${FIXTURES}/npy/rgb-u8.npy`,
    size: [4, 8],
  });
  assertEquals(npy.shape.slice(0, 2), [4, 8]);
  await assertRejects(
    () => openDataSource({ source: "digits", count: 10, size: [8, 16] }),
    UserError,
    "data.size: synthetic digits are square, and this is 8,16; give one number",
  );
  assertEquals((await openDataSource({ source: "digits", count: 2, size: [8, 8] })).shape, [
    8,
    8,
    1,
  ]);
});
