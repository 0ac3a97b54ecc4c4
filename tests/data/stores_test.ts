/** Folders and archives as people have them: odd paths and names, splits, metadata, files without endings. */
import { crc32 } from "node:zlib";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { gzipSync, zipSync } from "fflate";
import { findIdxPair } from "../../src/data/mnist.ts";
import { compareNaturally } from "../../src/data/natural_order.ts";
import { openDataSource } from "../../src/data/open.ts";
import { normalizePath, sharedFolder } from "../../src/data/stores/file_store.ts";
import { openZipStore } from "../../src/data/stores/open_store.ts";
import { UserError } from "../../src/errors.ts";
import { FIXTURES, idxBytes, memoryFile, npyOf, put, tarOf, withFolder } from "./helpers.ts";

const readImage = (name: string) => Deno.readFile(`${FIXTURES}/images/${name}`);
const png = await readImage("rgb8.png");
const jpeg = await readImage("rgb.jpg");

Deno.test("openDataSource() reads a zip with absolute and relative paths, which once hung", async () => {
  await withFolder(async (folder) => {
    const entries = { "/b.png": png, "a/p0.png": png, "//c/../d.png": png, "./e\\f.png": png };
    const path = await put(`${folder}/z.zip`, zipSync(entries));
    const source = await openDataSource({ source: "auto", path });
    assertEquals([source.count, source.labels], [4, undefined]);
  });
  assertEquals(normalizePath("../.././/a//b\\..\\c"), "a/c");
  assertEquals(sharedFolder(["/b", "a/b", "a"]), "");
  assertEquals(sharedFolder(["x/y/a", "x/y/b/c", "x/yy"]), "x/");
});

/** Replaces the bytes of names in an archive, wherever they stand. */
function rename(zip: Uint8Array, from: string, to: readonly number[]): Uint8Array {
  const bytes = zip.slice();
  const wanted = Array.from(from, (letter) => letter.charCodeAt(0));
  for (let at = 0; at < bytes.length; at++) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) bytes.set(to, at);
  }
  return bytes;
}

Deno.test("openZipStore() reads names in code page 437 and UTF-8", async () => {
  await withFolder(async (folder) => {
    const zip = zipSync({ "caXX/a.png": png, "caYY/a.png": png });
    const cp437 = rename(rename(zip, "XX", [0x82, 0x81]), "YY", [0x84, 0x94]);
    using store = openZipStore(await put(`${folder}/d.zip`, cp437));
    assertEquals(store.files.map(({ path }) => path), ["caäö/a.png", "caéü/a.png"]);
    const source = await openDataSource({ source: "auto", path: `${folder}/d.zip` });
    assertEquals(source.classNames, ["caäö", "caéü"]);
    const utf8 = rename(zip, "XX", [0xc3, 0xa9]);
    using other = openZipStore(await put(`${folder}/u.zip`, utf8));
    assertEquals(other.files.map(({ path }) => path), ["caYY/a.png", "caé/a.png"]);
  });
});

Deno.test("openZipStore() takes a name from Info-ZIP's Unicode path field where the field belongs to it", async () => {
  const field = (name: string, path: string, version = 1) => {
    const extra = new Uint8Array([version, 0, 0, 0, 0, ...new TextEncoder().encode(path)]);
    new DataView(extra.buffer).setUint32(1, crc32(new TextEncoder().encode(name)), true);
    return { extra: { 0x5455: new Uint8Array(5), 0x7075: extra } }; // after a field of times
  };
  await withFolder(async (folder) => {
    const zip = zipSync({
      "a?a/1.png": [png, field("a?a/1.png", "ана/1.png")],
      "a?b/1.png": [png, field("a?b/1.png", "анб/1.png")],
      "renamed/1.png": [png, field("older/1.png", "öl/1.png")], // of the name that it had before
      "version/1.png": [png, field("version/1.png", "ö/1.png", 2)],
    });
    const path = await put(`${folder}/u.zip`, zip);
    using store = openZipStore(path);
    assertEquals(store.files.map(({ path }) => path).sort(), [
      "renamed/1.png",
      "version/1.png",
      "ана/1.png",
      "анб/1.png",
    ]);
    const source = await openDataSource({ source: "auto", path });
    assertEquals(source.classNames, ["renamed", "version", "ана", "анб"]);
  });
});

/** Copies a file to a name in Latin-1, which Deno cannot say, by a shell. */
async function copyToLatin1(file: string, { folder, name }: { folder: string; name: string }) {
  const octal = Array.from(
    name,
    (letter) => letter < "\x80" ? letter : `\\${letter.charCodeAt(0).toString(8)}`,
  ).join("");
  const script = 'cp "$1" "$2/$(printf "$3")"';
  const args = ["-c", script, "sh", file, folder, octal];
  const { success, stderr } = await new Deno.Command("sh", { args }).output();
  assert(success, new TextDecoder().decode(stderr));
}

Deno.test({
  name: "openDataSource() names a file whose name is Latin-1, and trains without it when asked to",
  ignore: Deno.build.os !== "linux", // other systems have no such names
  async fn() {
    await withFolder(async (folder) => {
      const good = await put(`${folder}/a.png`, png);
      await copyToLatin1(good, { folder, name: "caf\xe9.png" });
      await assertRejects(
        () => openDataSource({ source: "auto", path: folder }),
        UserError,
        `Cannot read ${folder}/caf\ufffd.png: its name is not UTF-8 (or it was just removed): rename it`,
      );
      const source = await openDataSource({ source: "auto", path: folder, broken: "skip" });
      assertEquals(source.count, 1);
      assertEquals(source.notes?.filter((note) => note.includes("caf\ufffd.png")).length, 1);
    });
  },
});

Deno.test("openDataSource() finds KMNIST in torchvision's root, with the names of its characters", async () => {
  await withFolder(async (folder) => {
    const raw = `${folder}/KMNIST/raw`;
    for (const [part, label] of [["train", 2], ["t10k", 9]] as const) {
      await put(
        `${raw}/${part}-images-idx3-ubyte`,
        idxBytes([1, 2, 2], Uint8Array.of(1, 2, 3, label)),
      );
      await put(
        `${raw}/${part}-labels-idx1-ubyte.gz`,
        gzipSync(idxBytes([1], Uint8Array.of(label))),
      );
    }
    for (const path of [folder, `${folder}/KMNIST`, raw]) {
      const train = await openDataSource({ source: "auto", path });
      assertEquals([train.name, train.shape, [...train.labels!]], ["kmnist", [2, 2, 1], [2]]);
      assertEquals(train.classNames, ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]);
    }
    const test = await openDataSource({ source: "mnist", path: folder, split: "test" });
    assertEquals([[...test.labels!], [...test.pixels!]], [[9], [1, 2, 3, 9]]);
  });
});

Deno.test("openDataSource() takes one split, and the classes below it", async () => {
  await withFolder(async (folder) => {
    for (const path of ["train/cats/a", "train/dogs/a", "train/dogs/b", "test/cats/a"]) {
      await put(`${folder}/${path}.png`, png);
    }
    const train = await openDataSource({ source: "auto", path: folder });
    assertEquals([train.count, train.classNames], [3, ["cats", "dogs"]]);
    assertEquals(train.notes, [
      "took the train split: the folders hold 1 test, 3 train images (data.split chooses)",
    ]);
    const test = await openDataSource({ source: "images", path: folder, split: "test" });
    assertEquals(test.count, 1);
    await put(`${folder}/cats/a.png`, png); // now train and test are classes among others
    assertEquals((await openDataSource({ source: "auto", path: folder })).classNames?.length, 3);
  });
});

Deno.test("openDataSource() lists class folders in natural order", async () => {
  await withFolder(async (folder) => {
    for (let i = 0; i <= 10; i++) await put(`${folder}/${i}/a.png`, png);
    const source = await openDataSource({ source: "auto", path: folder });
    assertEquals(source.classNames, Array.from({ length: 11 }, (_, i) => String(i)));
  });
  const names = ["img10", "img9", "b", "a2", "a10", "a02"];
  assertEquals(names.sort(compareNaturally), ["a02", "a2", "a10", "b", "img9", "img10"]);
});

Deno.test("openDataSource() finds images by content, and counts what it leaves out", async () => {
  await withFolder(async (folder) => {
    for (const name of ["a.jfif", "c.jpe", "000001"]) await put(`${folder}/${name}`, jpeg);
    await put(`${folder}/b.txt`, "x");
    await put(`${folder}/c.txt`, "x");
    await put(`${folder}/.hidden`, "x");
    const source = await openDataSource({ source: "auto", path: folder });
    assertEquals(source.count, 3);
    assertEquals(source.notes, ["left out 2 .txt, 1 hidden file: they are no images"]);
  });
});

Deno.test("openDataSource() gives the same bits from a folder, zip, tar, tgz and npz", async () => {
  await withFolder(async (folder) => {
    const files = { "x/cat/1.png": png, "x/cat/2.png": png, "x/dog/1.png": png };
    for (const [path, bytes] of Object.entries(files)) await put(`${folder}/f/${path}`, bytes);
    const plain = await openDataSource({ source: "auto", path: `${folder}/f` });
    const [height, width, channels] = plain.shape;
    const packed = {
      "a.zip": zipSync(files),
      "a.tar": tarOf(files),
      "a.tgz": gzipSync(tarOf(files)),
      "a.bin": gzipSync(tarOf(files)),
      "a.npz": zipSync({
        "images.npy": npyOf("|u1", [3, height, width, channels], plain.pixels!.slice()),
        "labels.npy": npyOf("<U3", [3], Uint32Array.from([..."catcatdog"], (c) => c.charCodeAt(0))),
      }),
    };
    for (const [name, bytes] of Object.entries(packed)) {
      const source = await openDataSource({
        source: "auto",
        path: await put(`${folder}/p/${name}`, bytes),
      });
      assertEquals(
        [source.fingerprint, source.classNames],
        [plain.fingerprint, ["cat", "dog"]],
        name,
      );
    }
  });
});

Deno.test("openDataSource() reads Hugging Face's metadata.csv and metadata.jsonl", async () => {
  await withFolder(async (folder) => {
    await put(`${folder}/a.png`, png);
    await put(`${folder}/b.png`, png);
    await put(
      `${folder}/metadata.csv`,
      'file_name,label,text\na.png,"cat, black",hi\nb.png,dog,ho\n',
    );
    const source = await openDataSource({ source: "auto", path: folder });
    assertEquals([[...source.labels!], source.classNames], [[0, 1], ["cat, black", "dog"]]);
    const other = await openDataSource({ source: "auto", path: folder, label: "text" });
    assertEquals(other.classNames, ["hi", "ho"]);
    await assertRejects(
      () => openDataSource({ source: "auto", path: folder, label: "none" }),
      UserError,
      'Cannot take classes from the column "none"',
    );
    await Deno.remove(`${folder}/metadata.csv`);
    await put(`${folder}/metadata.jsonl`, '{"file_name": "a.png", "label": 3}\n');
    await assertRejects(
      () => openDataSource({ source: "auto", path: folder }),
      UserError,
      "it has no row for 1 of 2 images, such as b.png",
    );
  });
});

Deno.test("openDataSource() reads MNIST within a zip, and EMNIST upright with its letters", async () => {
  await withFolder(async (folder) => {
    const images = idxBytes([2, 2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
    const labels = idxBytes([2], Uint8Array.of(1, 26));
    const path = await put(
      `${folder}/m.zip`,
      zipSync({
        "x/train-images-idx3-ubyte.gz": gzipSync(images),
        "x/train-labels-idx1-ubyte.gz": gzipSync(labels),
      }),
    );
    const mnist = await openDataSource({ source: "auto", path });
    assertEquals([mnist.shape, [...mnist.labels!]], [[2, 3, 1], [1, 26]]);
    const raw = `${folder}/EMNIST/raw`;
    await put(`${raw}/emnist-letters-train-images-idx3-ubyte`, images);
    await put(`${raw}/emnist-letters-train-labels-idx1-ubyte`, labels);
    const letters = await openDataSource({ source: "auto", path: folder });
    assertEquals([letters.shape, letters.name], [[3, 2, 1], "emnist-letters"]);
    assertEquals([...letters.pixels!.subarray(0, 6)], [1, 4, 2, 5, 3, 6]);
    assertEquals([[...letters.labels!], letters.classNames![25]], [[0, 25], "Z"]);
    await put(`${folder}/FashionMNIST/raw/train-images-idx3-ubyte`, images);
    await put(
      `${folder}/FashionMNIST/raw/train-labels-idx1-ubyte`,
      idxBytes([2], Uint8Array.of(9, 0)),
    );
    await assertRejects(
      () => openDataSource({ source: "auto", path: folder }),
      UserError,
      `Cannot choose among the 2 data sets in ${folder}: name one by --set data.subset=FashionMNIST`,
    );
    const fashion = await openDataSource({ source: "auto", path: folder, subset: "fashionmnist" });
    assertEquals([fashion.name, fashion.classNames![9]], ["fashion-mnist", "Ankle boot"]);
  });
  const pair = findIdxPair(
    [
      memoryFile("qmnist-train-images-idx3-ubyte", ""),
      memoryFile("qmnist-train-labels-idx2-int", ""),
    ],
    { origin: "q" },
  );
  assertEquals(pair?.labels?.path, "qmnist-train-labels-idx2-int");
});

Deno.test("openDataSource() standardizes columns where one of them needs it, and says so", async () => {
  await withFolder(async (folder) => {
    const usual = await put(`${folder}/u.csv`, "x,y\n-1,0\n1,1\n");
    const unchanged = await openDataSource({ source: "auto", path: usual });
    assertEquals([...unchanged.batch(Uint32Array.of(0, 1)).values], [-1, 0, 1, 1]);
    assertEquals(unchanged.notes, []);
    const forced = await openDataSource({ source: "auto", path: usual, standardize: true });
    assertEquals([...forced.batch(Uint32Array.of(0, 1)).values], [-1, -1, 1, 1]);
    const path = await put(`${folder}/p.csv`, "x,y\n0,0\n1,10000\n0.5,5000\n");
    const plain = await openDataSource({ source: "auto", path, standardize: false });
    assertEquals([...plain.batch(Uint32Array.of(1)).values], [1, 10000]);
    assertEquals(plain.notes, [
      "column y has mean 5000 and standard deviation 4082: training may collapse; leave " +
      "data.standardize away to bring them to 0 and 1 while training",
    ]);
    const source = await openDataSource({ source: "auto", path });
    assertEquals(source.notes, [
      "column y has mean 5000 and standard deviation 4082; all columns are trained on with mean 0 and " +
      "standard deviation 1 (data.standardize), and samples have the units of the data",
    ]);
    const { values } = source.batch(Uint32Array.of(0, 1, 2));
    assertEquals([...values].map((value) => Math.round(value * 1000)), [
      -1225,
      -1225,
      1225,
      1225,
      0,
      0,
    ]);
    assertEquals(source.columns?.map(({ name, mean }) => [name, mean]), [["x", 0.5], ["y", 5000]]);
  });
});
