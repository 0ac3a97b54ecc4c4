/** `deno task reproduce` as a user calls it. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inFolder, runTask } from "./cli.ts";
import { assertRefuses, type Refusal } from "./refusals.ts";

const WRONG: Refusal[] = [
  [[], "name a table, one of ring, grid, stacked-mnist, or images"],
  [["rnig"], "Cannot reproduce rnig (did you mean ring?)"],
  [["ring", "--recipes", "pacgan"], "there is no pacgan (did you mean pacgan2?)"],
  [["ring", "--seeds", "0"], "--seeds is 0, expected a whole number from 1 to 1000"],
  [["ring", "--steps", "1", "--epochs", "1"], "--steps and --epochs both say how long"],
  [["ring", "--data", "x"], "Cannot reproduce ring with --data x: its points are synthetic"],
  [["stacked-mnist", "--data", "nowhere"], "nowhere"],
  [["grid", "--download"], "Cannot reproduce grid with --download: its points are synthetic"],
  [["stacked-mnist", "--data", "x", "--download"], "both say where the digits are"],
  [["ring", "--out", "table.txt"], "expected a name that ends in .md"],
  [["ring", "--minutes", "1"], "Cannot reproduce ring with --minutes: it is for images"],
  [["images"], "name a folder or a file of images with --data"],
  [["images", "--data", "x", "--steps", "5"], "Cannot reproduce images with --steps: its runs are"],
  [["images", "--data", "x", "--recipes", "bset"], "there is no bset (did you mean best?)"],
  [["images", "--data", "nowhere", "--recipes", "best"], "nowhere"],
];

Deno.test("deno task reproduce: a mistake gives one line, exit code 2 and no file", () =>
  inFolder(async (folder) => {
    await assertRefuses("reproduce", WRONG, folder);
    assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
  }));

Deno.test("deno task reproduce prints and writes its table, and runs nothing twice", () =>
  inFolder(async (folder) => {
    const args = ["ring", "--recipes", "best", "--seeds", "2", "--steps", "2", "--device", "cpu"];
    const first = await runTask("reproduce", [...args, "--out", "table.md", "--json"], folder);
    assertEquals(first.code, 0, first.stderr);
    const { results } = JSON.parse(first.stdout.trimEnd().split("\n").at(-1)!);
    assertEquals(results.map(({ seed, steps }: { seed: number; steps: number }) => [seed, steps]), [
      [0, 2],
      [1, 2],
    ]);
    const table = await Deno.readTextFile(`${folder}/table.md`);
    assertStringIncludes(first.stdout, table.trim());
    assertStringIncludes(table, "| our recipe | 2 | 2 |");
    assertStringIncludes(table, "Published: Lin et al. 2018 (PacGAN), Table 1");
    assertStringIncludes(table, "our recipe: 10 seeds of ");

    const second = await runTask("reproduce", args, folder);
    assertEquals(second.code, 0, second.stderr);
    assert(!second.stdout.includes("networks"), second.stdout);
    assertStringIncludes(second.stdout, table.trim());
  }));
