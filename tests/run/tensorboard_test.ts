/** TensorBoard event files: checksums, records, messages, and what a store sends to them. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { openEventFile } from "../../src/run/tensorboard/event_file.ts";
import { encodeEvents } from "../../src/run/tensorboard/events.ts";
import { crc32c, encodeRecord, maskedCrc32c } from "../../src/run/tensorboard/records.ts";
import { decodeRecords } from "./event_records.ts";
import { tensorboardStore } from "../../src/run/tensorboard/tensorboard_store.ts";
import { createMemoryStore } from "../../src/training/memory_store.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

Deno.test("crc32c() gives the values of RFC 3720, appendix B.4", () => {
  assertEquals(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assertEquals(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assertEquals(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assertEquals(crc32c(ascii("123456789")), 0xe3069283);
});

Deno.test("decodeRecords() reads what encodeRecord() wrote, and stops at a record that is cut off", () => {
  const bytes = Uint8Array.from([...encodeRecord(ascii("one")), ...encodeRecord(ascii(""))]);
  assertEquals(decodeRecords(bytes).map((data) => new TextDecoder().decode(data)), ["one", ""]);
  assertEquals(decodeRecords(bytes.subarray(0, bytes.length - 3)).length, 1);
  assertEquals(maskedCrc32c(ascii("")), 0xa282ead8);
});

Deno.test("decodeRecords() names the record whose checksum does not fit", () => {
  const bytes = encodeRecord(ascii("one"));
  bytes[13] ^= 1;
  assertThrows(() => decodeRecords(bytes), RangeError, "record at byte 0");
});

/** The fields of a message: varints and floats as numbers, the rest as bytes. */
function fieldsOf(data: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const reader = new BinaryReader(data);
  const fields = new Map<number, (number | Uint8Array)[]>();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const value = type === 0
      ? Number(reader.int64())
      : type === 1
      ? reader.double()
      : type === 5
      ? reader.float()
      : reader.bytes();
    fields.set(field, [...fields.get(field) ?? [], value]);
  }
  return fields;
}

function at(data: Uint8Array, ...path: number[]): number | Uint8Array {
  return path.reduce<number | Uint8Array>(
    (value, field) => fieldsOf(value as Uint8Array).get(field)![0],
    data,
  );
}

const textAt = (data: Uint8Array, ...path: number[]) =>
  new TextDecoder().decode(at(data, ...path) as Uint8Array);

Deno.test("encodeEvents() writes scalars, images and text as summaries of their step", () => {
  const png = Uint8Array.of(1, 2, 3);
  const [event] = encodeEvents({
    step: 300,
    values: [
      { tag: "train/dLoss", scalar: 0.5 },
      { tag: "samples", image: { png, height: 4, width: 5, channels: 3 } },
      { tag: "events", text: "resumed" },
    ],
  }, 12.5);
  assertEquals(at(event, 1), 12.5);
  assertEquals(at(event, 2), 300);
  const [scalar, image, text] = fieldsOf(at(event, 5) as Uint8Array).get(1) as Uint8Array[];
  assertEquals(textAt(scalar, 1), "train/dLoss");
  assertEquals(at(scalar, 2), 0.5);
  assertEquals([1, 2, 3].map((field) => at(image, 4, field)), [4, 5, 3]);
  assertEquals(at(image, 4, 4), png);
  assertEquals(textAt(text, 9, 1, 1), "text");
  assertEquals(at(text, 8, 1), 7);
  assertEquals(textAt(text, 8, 8), "resumed");
});

Deno.test("encodeEvents() writes hyper-parameters and the metrics that runs are compared by", () => {
  const [experiment, start] = encodeEvents({
    hyperparameters: {
      values: { batchSize: 64, preset: "digits", conditional: true },
      metrics: ["train/dLoss"],
      group: "00001-digits",
    },
  }, 1);
  assertEquals(textAt(experiment, 5, 1, 1), "_hparams_/experiment");
  const content = at(experiment, 5, 1, 9, 1, 2, 2) as Uint8Array;
  const infos = fieldsOf(content).get(5) as Uint8Array[];
  assertEquals(infos.map((info) => [textAt(info, 1), at(info, 4)]), [
    ["batchSize", 3],
    ["preset", 1],
    ["conditional", 2],
  ]);
  assertEquals(textAt(content, 6, 1, 2), "train/dLoss");
  assertEquals(textAt(start, 5, 1, 1), "_hparams_/session_start_info");
  const session = at(start, 5, 1, 9, 1, 2, 3) as Uint8Array;
  const [batch, preset, conditional] = fieldsOf(session).get(1) as Uint8Array[];
  assertEquals([textAt(batch, 1), at(batch, 2, 2)], ["batchSize", 64]);
  assertEquals([textAt(preset, 1), textAt(preset, 2, 3)], ["preset", "digits"]);
  assertEquals([textAt(conditional, 1), at(conditional, 2, 4)], ["conditional", 1]);
  assertEquals(textAt(session, 4), "00001-digits");
});

Deno.test("openEventFile() starts a new file for each session, later in the order of names", async () => {
  const folder = await Deno.makeTempDir();
  const paths: string[] = [];
  for (const startAt of [0, 40]) {
    using file = await openEventFile(folder, { startAt, now: () => 1_700_000_000 });
    paths.push(file.path);
  }
  assert(paths[0] < paths[1], paths.join(" "));
  const events = decodeRecords(await Deno.readFile(paths[1]));
  assertEquals(textAt(events[0], 3), "brain.Event:2");
  assertEquals([at(events[1], 2), at(events[1], 7, 1)], [40, 1]);
});

Deno.test("tensorboardStore() sends metrics, measures and events, and drops what is rolled back", async () => {
  const folder = await Deno.makeTempDir();
  using file = await openEventFile(folder, { startAt: 0 });
  const store = tensorboardStore(createMemoryStore(), file);
  const line = { images: 10, wallS: 1, stepMs: 2 };
  await store.metrics.append([{ step: 1, ...line, dLoss: 0.25 }, { step: 2, ...line, dLoss: 3 }]);
  await store.events.append([{ event: "warning", step: 2, message: "too good" }]);
  await store.evaluations.append([{
    step: 2,
    images: 10,
    seconds: 1,
    data: "",
    samples: 4,
    measures: { frechet: 7, kernel: null },
  }]);
  await store.metrics.rewrite([{ step: 1, ...line, dLoss: 0.25 }]);
  assertEquals((await store.metrics.read()).length, 1);
  const events = decodeRecords(await Deno.readFile(file.path));
  const values = events.flatMap((event) => {
    const summary = fieldsOf(event).get(5)?.[0];
    const found = summary instanceof Uint8Array ? fieldsOf(summary).get(1) ?? [] : [];
    return (found as Uint8Array[]).map((value) => [at(event, 2), textAt(value, 1), value] as const);
  });
  assertEquals(values.map(([step, tag]) => `${step} ${tag}`), [
    "1 progress/images",
    "1 progress/wallS",
    "1 progress/stepMs",
    "1 train/dLoss",
    "2 progress/images",
    "2 progress/wallS",
    "2 progress/stepMs",
    "2 train/dLoss",
    "2 events",
    "2 evaluation/frechet",
  ]);
  assertAlmostEquals(at(values[3][2], 2) as number, 0.25);
  assertEquals(at(events.at(-1)!, 7, 1), 1);
  assertEquals(at(events.at(-1)!, 2), 2);
});
