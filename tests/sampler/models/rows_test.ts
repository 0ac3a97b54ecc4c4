/** Rows of tables and images from captions: values, seeds, conditions, texts, refusals. */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { Sampler, UserError } from "../../../src/sampler/mod.ts";
import { MODEL_FILES } from "./files.ts";

const load = async (name: keyof typeof MODEL_FILES) =>
  await Sampler.load(await MODEL_FILES[name](), { device: "wasm", selfTest: true });

Deno.test("rows() gives the columns of the data back: types, categories, decimals, dates", async () => {
  await using sampler = await load("rows");
  const { columns } = sampler.info.table!;
  const list = await sampler.rows({ count: 200, seed: 7 });
  assertEquals(list.length, 200);
  for (const { name, kind, categories, decimals, range } of columns) {
    for (const row of list) {
      const value = row[name];
      if (value === null) continue;
      if (kind === "category") assert(categories!.includes(value as string));
      if (kind === "boolean") assertEquals(typeof value, "boolean");
      if (kind === "date") assert(/^\d{4}-\d\d-\d\d$/.test(value as string));
      if (kind !== "number" && kind !== "integer") continue;
      assert((value as number) >= range![0] && (value as number) <= range![1]);
      assertEquals(Number((value as number).toFixed(decimals!)), value);
    }
  }
  const [header, first] = list.toCsv().split("\n");
  assertEquals(header, columns.map(({ name }) => name).join(","));
  assertEquals(first.split(",").length, columns.length);
  assertEquals(JSON.parse(list.toJson()), [...list]);
  assertEquals(JSON.parse(list.toJsonLines().split("\n")[3]), list.rows[3]);
});

Deno.test("a row follows from its seed alone, whatever the batch", async () => {
  await using sampler = await load("rows");
  const whole = await sampler.rows({ count: 40, seed: 3 });
  const batches: number[] = [];
  const streamed = [];
  for await (const list of sampler.streamRows({ count: 40, seed: 3, batchSize: 16 })) {
    batches.push(list.length);
    streamed.push(...list);
  }
  assertEquals(batches, [16, 16, 8]);
  assertEquals(streamed, [...whole]);
  assertEquals((await sampler.rows({ seed: 42 })).rows[0], whole.rows[39]);
});

Deno.test("rows() meets conditions, and refuses what it does not know by name", async () => {
  await using sampler = await load("rows");
  const conditions = { customer: "regular", member: true };
  const list = await sampler.rows({ count: 20, conditions });
  assert([...list].every((row) => row.customer === "regular" && row.member === true));
  const cases: [Record<string, string | null>, string][] = [
    [{ custmer: "regular" }, 'has no column "custmer" (did you mean customer?); it has customer,'],
    [
      { customer: "regulr" },
      'customer has no category "regulr" (did you mean regular?); it has regular, student,',
    ],
    [
      { age: "30" },
      "age holds integers, and a condition names a category; columns with categories:",
    ],
    [{ customer: null }, "no value of customer is missing in the data"],
  ];
  for (const [wrong, message] of cases) {
    await assertRejects(() => sampler.rows({ conditions: wrong }), UserError, message);
  }
  await assertRejects(() => sampler.rows({ count: -1 }), UserError, "count takes an integer >= 0");
});

Deno.test("sample({ text }) makes images of a caption, and refuses words that it does not know", async () => {
  await using sampler = await load("captions");
  assert(sampler.info.vocabulary!.words.includes("seven"));
  const [red] = await sampler.sample({ text: "Thick red seven", seed: 1 });
  assertEquals(red.shape, [3, 16, 16]);
  const [again] = await sampler.sample({ text: "thick, red, seven", seed: 1 });
  assertEquals(again.values, red.values);
  const [blue] = await sampler.sample({ text: "thick blue seven", seed: 1 });
  assertNotEquals(blue.values, red.values);
  const cases: [() => Promise<unknown>, string][] = [
    [() => sampler.sample({ text: "thick rad seven" }), 'does not know "rad" (did you mean red?)'],
    [() => sampler.sample({ text: "" }), "it has no words"],
    [() => sampler.sample(), "without a text: give text, such as"],
  ];
  for (const [call, message] of cases) await assertRejects(call, UserError, message);
  await using rows = await load("rows");
  await assertRejects(() => rows.sample({ text: "red" }), UserError, "Cannot use a text");
});
