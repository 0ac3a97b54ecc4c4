/** Damaged files of a run: read right, or refused in one line; never another exception. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MEASURES } from "../../src/config/evaluation.ts";
import { readBest, readChosenCheckpoint, writeBest } from "../../src/run/best_checkpoint.ts";
import { readCheckpoint, writeCheckpoint } from "../../src/run/checkpoint.ts";
import { readDataRecord, writeDataRecord } from "../../src/run/data_record.ts";
import { readEvaluations } from "../../src/run/evaluations.ts";
import { readMetrics } from "../../src/run/metrics_log.ts";
import { readConfigFile } from "../../src/run/run_folder.ts";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { openDataSource } from "../../src/data/open.ts";
import { fuzz, FUZZ_RUNS, type FuzzOutcome } from "../fuzz.ts";

/** A file with some of its bytes replaced, or cut off, or with other values in its JSON. */
function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const edits = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 32, max: 126 })), {
    minLength: 1,
    maxLength: 3,
  });
  const edited = edits.map((pairs) => {
    const copy = bytes.slice();
    for (const [at, value] of pairs) copy[at] = value;
    return copy;
  });
  const cut = fc.nat(bytes.length).map((length) => bytes.slice(0, length));
  const text = new TextDecoder().decode(bytes);
  const swapped = fc.tuple(fc.nat(), fc.jsonValue({ maxDepth: 1 })).map(([at, value]) => {
    const fields = [...text.matchAll(/"\w+":\s*(?=[\d"n])/g)];
    if (fields.length === 0) return bytes;
    const field = fields[at % fields.length];
    const start = field.index + field[0].length;
    const end = text.slice(start).search(/[,}\n]/);
    const changed = text.slice(0, start) + JSON.stringify(value) + text.slice(start + end);
    return new TextEncoder().encode(changed);
  });
  const other = fc.jsonValue().map((value) => new TextEncoder().encode(JSON.stringify(value)));
  return fc.oneof(edited, cut, swapped, other);
}

/** Writes damaged versions of a file and reads each. */
async function fuzzFile(file: string, read: () => Promise<unknown>): Promise<FuzzOutcome> {
  const versions = damaged(await Deno.readFile(file));
  return await fuzz(versions, async (version) => {
    Deno.writeFileSync(file, version);
    await read();
  }, { seed: 3 });
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("readCheckpoint() reads a damaged checkpoint.json right or refuses it", () =>
  inFolder(async (folder) => {
    const state = { w: { shape: [2], dtype: "float32" as const, data: Float32Array.of(1, 2) } };
    const info = { step: 12, images: 96, wallSeconds: 3.5, engine: "onnx", rollbacks: 1 };
    await writeCheckpoint(folder, { ...info, learningRateFactor: 0.5, state }, { keep: 2 });
    const path = `${folder}/00000012`;
    const seen = await fuzzFile(`${path}/checkpoint.json`, async () => {
      const { step, images, wallSeconds, engine, rollbacks, learningRateFactor, ...rest } =
        await readCheckpoint(path);
      assertEquals(rest.state, state); // its hash is in the file
      assertEquals(step, 12); // the folder's name says so too
      assert(Number.isInteger(images) && images >= 0, `images ${images}`);
      assert(wallSeconds >= 0 && typeof engine === "string", `${wallSeconds} ${engine}`);
      assert(rollbacks === undefined || (Number.isInteger(rollbacks) && rollbacks >= 0));
      assert(learningRateFactor === undefined || learningRateFactor > 0);
    });
    assert(seen.refused > 500 && seen.read > 20, JSON.stringify(seen));
  }));

Deno.test("readMetrics() reads a damaged metrics.jsonl up to its fault", () =>
  inFolder(async (folder) => {
    const file = `${folder}/metrics.jsonl`;
    const lines = [1, 2, 3].map((step) => ({
      step,
      images: 4 * step,
      wallS: 1,
      stepMs: 2,
      dLoss: 1,
    }));
    await Deno.writeTextFile(file, lines.map((line) => JSON.stringify(line) + "\n").join(""));
    const seen = await fuzzFile(file, async () => {
      for (const line of await readMetrics(file)) assert(Number.isFinite(line.step));
    });
    assertEquals(seen, { read: FUZZ_RUNS, refused: 0 });
  }));

Deno.test("readDataRecord() and readConfigFile() read damaged files right or refuse them", () =>
  inFolder(async (folder) => {
    await writeDataRecord(folder, await openDataSource({ source: "digits", count: 20, size: 8 }));
    const records = await fuzzFile(`${folder}/data.json`, async () => {
      const { classNames, shape } = await readDataRecord(folder);
      assert(classNames === null || classNames.every((name) => typeof name === "string"));
      assert(shape.every((side) => side > 0));
    });
    assert(records.refused > 200, JSON.stringify(records));
    const file = `${folder}/config.json`;
    await Deno.writeTextFile(file, JSON.stringify(presetConfig("ring-2d"), null, 2));
    const configs = await fuzzFile(file, async () => void await readConfigFile(file));
    assert(configs.refused > 500, JSON.stringify(configs));
  }));

Deno.test("readBest(), readChosenCheckpoint() and readEvaluations() read damaged files right or refuse them", () =>
  inFolder(async (folder) => {
    await writeBest(folder, { step: 40, measure: "jsd", value: 0.25 });
    const best = await fuzzFile(`${folder}/best.json`, async () => {
      const found = await readBest(folder);
      if (found) {
        assert(Number.isSafeInteger(found.step) && Number.isFinite(found.value));
        assert(Object.hasOwn(MEASURES, found.measure));
      }
      await readChosenCheckpoint(folder, "best"); // there is none, or the file is damaged
    });
    assertEquals(best.read, 0);
    const file = `${folder}/evaluations.jsonl`;
    const line = {
      step: 5,
      images: 20,
      samples: 10,
      seconds: 0.5,
      measures: { jsd: 0.5, modes: 3 },
    };
    await Deno.writeTextFile(file, `${JSON.stringify(line)}\n`.repeat(3));
    const lines = await fuzzFile(file, async () => {
      for (const { step, seconds, measures } of await readEvaluations(file)) {
        assert(Number.isFinite(step) && Number.isFinite(seconds));
        for (const [name, value] of Object.entries(measures)) {
          assert(Object.hasOwn(MEASURES, name) && (value === null || Number.isFinite(value)));
        }
      }
    });
    assertEquals(lines.refused, 0);
  }));
