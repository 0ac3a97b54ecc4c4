/** The presets of rows and of captions on the command line: trained, resumed, exported, evaluated, refused. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { inFolder, MIDWAY, resumedMidway, runTask } from "./cli.ts";

const SMALL = ["--device", "cpu", "--set", "data.count=200", "--batch", "10"];
const PRESETS = {
  tabular: {
    options: ["--set", "recipe.units=[8]"],
    measures: ["column-shapes", "pair-trends", "learned", "closest", "copies"],
  },
  captions: {
    options: ["--set", "recipe.filters=2", "--size", "8"],
    measures: ["words", "captions", "thickness", "slant", "color", "digit"],
  },
};

for (const [preset, { options, measures }] of Object.entries(PRESETS)) {
  Deno.test(`deno task train ${preset} trains, resumes to the same bits, exports and evaluates`, () =>
    inFolder(async (folder) => {
      const args = [preset, ...SMALL, ...options, "--steps", "3", ...MIDWAY];
      const whole = await runTask("train", args, folder);
      assertEquals(whole.code, 0, whole.stderr + whole.stdout);
      const { json: found, state } = await resumedMidway(folder, 3);
      assertEquals(state.resumed, state.whole);
      assertEquals(found.measures.map(({ name }: { name: string }) => name), measures);
      const record = JSON.parse(await Deno.readTextFile(`${folder}/${found.run}/data.json`));
      if (preset === "tabular") assertEquals(record.table.encodings[0].name, "customer");
      else assertEquals(record.vocabulary.maxLength, 4);
      const report = await Deno.readTextFile(`${folder}/${found.run}/report.md`);
      assertStringIncludes(report, "data against itself");
      const evaluated = await runTask("evaluate", ["latest", "--json"], folder);
      assertEquals(evaluated.code, 0, evaluated.stderr);
    }));
}

Deno.test("deno task train tabular says what each column is, and refuses one that is not there in one line", () =>
  inFolder(async (folder) => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i % 3 ? "cat" : "dog"},${i / 4},${i % 5}`);
    await Deno.writeTextFile(`${folder}/pets.csv`, `kind,weight,age\n${rows.join("\n")}\n`);
    const args = ["tabular", "--data", "pets.csv", "--device", "cpu", "--dry-run"];
    const plan = await runTask("train", [
      ...args,
      "--columns",
      "kind,age=category",
      "--batch",
      "10",
    ], folder);
    assertEquals(plan.code, 0, plan.stderr);
    assertStringIncludes(plan.stdout, "column kind: category, 2 values: cat 66.7%, dog 33.3%");
    assertStringIncludes(plan.stdout, "column age: category, 5 values");
    const wrong = await runTask("train", [...args, "--columns", "kind,agee"], folder);
    assertEquals(wrong.code, 2);
    assertStringIncludes(
      wrong.stderr,
      'Cannot find the column "agee" in pets.csv (did you mean age?)',
    );
  }));
