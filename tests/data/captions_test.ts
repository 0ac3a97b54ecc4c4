/** Images with captions: which files have them, what is refused, several of an image, the words, what is held back. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { countCaptions } from "../../src/data/captions/build_vocabulary.ts";
import { readCaptions } from "../../src/data/captions/read_captions.ts";
import { captionedDigits } from "../../src/data/digits/digit_models.ts";
import { openCaptions } from "../../src/data/open_captions.ts";
import { UserError } from "../../src/errors.ts";
import { encodePng } from "../../src/raster/png.ts";
import { captionWords, encodeCaption } from "../../src/vocabulary.ts";
import { damagedBytes, fuzz } from "../fuzz.ts";
import { memoryFile, put, withFolder } from "./helpers.ts";

const image = (path: string) => memoryFile(path, "x");

/** The captions of images a.png and b.png by a file. */
async function read(name: string, text: string | Uint8Array, column?: string) {
  const images = [image("a.png"), image("b.png")];
  const files = [...images, memoryFile(name, text)];
  return await readCaptions({ origin: "photos", files, images, column });
}

Deno.test("readCaptions() reads captions.csv and metadata.jsonl, with several captions of an image", async () => {
  const csv = await read(
    "captions.csv",
    'file_name,text\nb.png,a dog\na.png,"a red, big bird"\n./a.png,red bird\n',
  );
  assertEquals(csv, {
    images: Uint32Array.of(0, 0, 1),
    texts: ["a red, big bird", "red bird", "a dog"],
  });
  const json =
    '{"file_name": "a.png", "text": ["red", "big"]}\n\n{"file_name": "b.png", "text": "dog"}\n';
  assertEquals((await read("metadata.jsonl", json)).texts, ["red", "big", "dog"]);
  assertEquals((await read("captions.txt", "image,caption\na.png,x\nb.png,y\n")).texts, ["x", "y"]);
  assertEquals((await read("metadata.csv", "file_name;title\na.png;x\nb.png;y\n", "Title")).texts, [
    "x",
    "y",
  ]);
});

Deno.test("readCaptions() refuses what does not fit, in one line", async () => {
  const rows = (...lines: string[]) => ["file_name,text", ...lines].join("\n");
  const refusals: [string, string, string][] = [
    [
      "notes.txt",
      "x",
      "Cannot find captions in photos: looked for captions.csv or metadata.jsonl with the columns file_name and text",
    ],
    [
      "captions.csv",
      rows("a.png,x", "c.png,y"),
      "captions.csv: line 3 names the image c.png, which is not in photos",
    ],
    [
      "captions.csv",
      rows("a.png,x"),
      "captions.csv: it has no caption for 1 of 2 images, such as b.png; add rows",
    ],
    ["captions.csv", rows("a.png,x", "b.png,!"), 'line 3 has no words for the image b.png: "!"'],
    [
      "captions.csv",
      rows("a.png,x,y"),
      "line 2 has 3 columns, and the first line has 2; a text with commas stands in quotes",
    ],
    [
      "captions.csv",
      "name,text\na.png,x\n",
      'it needs a column "file_name", and line 2 has name, text',
    ],
    [
      "metadata.csv",
      "file_name,title\na.png,x\n",
      'it needs a column "text", and line 2 has file_name, title',
    ],
    ["metadata.jsonl", '{"file_name": "a.png"', "metadata.jsonl: line 1 is no JSON"],
    ["metadata.jsonl", "[1]", "line 1 is no JSON object such as"],
    ["captions.csv", "", "the file is empty"],
  ];
  for (const [name, text, message] of refusals) {
    await assertRejects(() => read(name, text), UserError, message);
  }
});

Deno.test("countCaptions() keeps the most frequent words, and says what is left out", () => {
  const captions = ["red bird", "Red dog!", "the big cat", "red red fish"];
  const all = countCaptions(captions);
  assertEquals(all.vocabulary, {
    words: ["big", "bird", "cat", "dog", "fish", "red", "the"],
    maxLength: 3,
  });
  assertEquals([...all.counts.subarray(21)], [0, 0, 0, 0, 1, 2, 0]);
  assertEquals(all.notes, ["vocabulary: 7 words; captions have up to 3"]);
  const few = countCaptions(captions, { maxWords: 2 });
  assertEquals([few.vocabulary.words, [...few.kept]], [["big", "red"], [0, 1, 2, 3]]);
  const one = countCaptions(captions, { maxWords: 1 });
  assertEquals([[...one.kept], [...one.counts]], [[0, 1, 3], [1, 1, 2]]);
  assertEquals(one.notes, [
    "vocabulary: the 1 most frequent of 7 words, the rarest of which occurs 4 times; captions have up to 2 of them",
    "left out 1 captions, which have none of these words",
  ]);
});

Deno.test("captionWords() takes words of any script; encodeCaption() refuses words that are not known", () => {
  const words = ["a", "bird's", "red-brown", "wing", "2", "étés", "赤", "い", "鳥"];
  assertEquals(captionWords("A Bird’s red-brown wing, 2 ÉTÉS; 赤い鳥"), words);
  const vocabulary = { words: ["red", "seven", "thick"], maxLength: 3 };
  assertEquals([...encodeCaption("Thick RED seven", vocabulary)], [1, 1, 1]);
  const refusals = [
    [
      "thick rad seven",
      'the model does not know "rad" (did you mean red?); it knows 3 words: red, seven, thick',
    ],
    ["purple", 'does not know "purple"; it knows 3 words'],
    ["red red red red", "it has 4 words, and the longest caption of training has 3"],
    [" ", "it has no words"],
  ];
  for (const [text, message] of refusals) {
    assertThrows(() => encodeCaption(text, vocabulary), UserError, message);
  }
});

Deno.test("openCaptions() joins images with each of their captions, at the size that is asked for", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/p`;
    for (let i = 0; i < 10; i++) {
      const data = new Uint8Array(8 * 8 * 3).fill(25 * i);
      await put(`${path}/${i}.png`, await encodePng({ width: 8, height: 8, channels: 3, data }));
    }
    const lines = Array.from({ length: 10 }, (_, i) => `${i}.png,gray ${i}\n${i}.png,level ${i}`);
    await put(`${path}/captions.csv`, `file_name,text\n${lines.join("\n")}\n`);
    const data = await openCaptions({ path, size: 4, heldBack: 0.2 });
    assertEquals(data.inputs.image.shape, [4, 4, 3]);
    const { trained, heldBack, vocabulary } = data.captions!;
    assertEquals([data.count, trained.texts.length], [16, 16]);
    assertEquals(heldBack, undefined); // their numbers are words that no other caption has
    assertEquals(vocabulary.maxLength, 2);
    const all = Uint32Array.from({ length: 16 }, (_, i) => i);
    const pixels = data.inputs.image.batch(all).values;
    const counts = data.inputs.words.batch(all).values;
    const size = vocabulary.words.length;
    for (const [i, text] of trained.texts.entries()) {
      const level = Number(text.split(" ")[1]);
      assertEquals(Math.round((pixels[i * 48] + 1) * 127.5), 25 * level);
      assertEquals(counts.slice(i * size, (i + 1) * size), encodeCaption(text, vocabulary));
    }
    assert(data.notes.every((note) => !note.includes("left out")), data.notes.join("; "));
    await assertRejects(
      () => openCaptions({ path, count: 11 }),
      UserError,
      "Cannot take 11 images",
    );
    await assertRejects(
      () => openCaptions({ path: `${path}/1.png` }),
      UserError,
      "expected a folder, .zip or .tar.gz of images with captions.csv",
    );
  });
});

Deno.test("captionedDigits() trains on no image of the captions that are held back", () => {
  const { captions, count, inputs } = captionedDigits({ count: 400, size: 8, heldBack: 0.1 });
  const { trained, heldBack, vocabulary } = captions!;
  const kept = heldBack!.texts;
  assertEquals(trained.texts.length + kept.length, 400);
  assertEquals([count, inputs.image.count], [trained.texts.length, count]);
  assertEquals(heldBack!.image.count, kept.length);
  const known = new Set(trained.texts);
  assert(kept.length > 10 && kept.every((text) => !known.has(text)));
  assertEquals(vocabulary.words.length, 19);
});

const LONG = "a small red bird with a long tail and dark wings sits upon a thin branch ".repeat(4);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const csv = bytesOf(`file_name,text\na.png,${LONG}\nb.png,"${LONG}, b"\n`);
const json = bytesOf(
  `{"file_name": "a.png", "text": "${LONG}"}\n{"file_name": "b.png", "text": ["${LONG}", 1]}\n`,
);

Deno.test("readCaptions() reads any bytes whole, or refuses them in one line, within a time bound", async () => {
  const cases = fc.oneof(
    fc.tuple(fc.constant("captions.csv"), damagedBytes([csv])),
    fc.tuple(fc.constant("metadata.jsonl"), damagedBytes([json])),
  );
  const outcome = await fuzz(cases, async ([name, bytes]) => {
    const { images, texts } = await read(name, bytes);
    assertEquals(images.length, texts.length);
    assertEquals(new Set(images).size, 2);
    assert(texts.every((text) => captionWords(text).length > 0));
  }, { seed: 3, runs: 1000 });
  assert(outcome.read > 30 && outcome.refused > 30, JSON.stringify(outcome));
});
