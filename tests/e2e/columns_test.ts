/** The names of a table's columns go from its header to the run, the exported file, and samples as CSV. */
import { assertEquals, assertMatch } from "@std/assert";
import { parseManifest } from "../../src/manifest.ts";
import { Sampler } from "../../src/sampler/mod.ts";
import { inFolder, runTask } from "./cli.ts";

Deno.test("deno task train keeps the names of columns in data.json, the manifest and sampled.csv", () =>
  inFolder(async (folder) => {
    const rows = Array.from(
      { length: 64 },
      (_, i) => `${i % 8},${Math.floor(i / 8)}`,
    );
    await Deno.writeTextFile(`${folder}/points.csv`, `width,"height, cm"\n${rows.join("\n")}\n`);
    const trained = await runTask(
      "train",
      [
        "ring-2d",
        "--data",
        "points.csv",
        "--batch",
        "8",
        "--steps",
        "2",
        "--device",
        "cpu",
        "--json",
      ],
      folder,
    );
    assertEquals(trained.code, 0, trained.stderr);
    const { run } = JSON.parse(trained.stdout.trimEnd().split("\n").at(-1)!);
    const record = JSON.parse(await Deno.readTextFile(`${folder}/${run}/data.json`));
    assertEquals(record.columns, [
      { name: "width", mean: 3.5, scale: Math.sqrt(5.25) },
      { name: "height, cm", mean: 3.5, scale: Math.sqrt(5.25) },
    ]);
    assertMatch(
      trained.stdout + trained.stderr,
      /column width has mean 3\.5 and standard deviation 2\.291, and 1 more is unusual too; all columns are/,
    );
    const sampled = await Deno.readTextFile(`${folder}/${run}/sampled.csv`);
    assertEquals(sampled.split("\n")[0], 'width,"height, cm"');
    assertEquals(sampled.trimEnd().split("\n").length, 1001);
    const exported = await runTask("export", ["latest", "--out", "g.onnx"], folder);
    assertEquals(exported.code, 0, exported.stderr);
    await using sampler = await Sampler.load(`${folder}/g.onnx`, { device: "wasm" });
    const manifest = sampler.info.manifest!;
    assertEquals(manifest.columnNames, ["width", "height, cm"]);
    for (const columnNames of [["x"], ["x", 1], "xy"]) {
      const broken = JSON.stringify({ ...manifest, columnNames });
      let message = "";
      try {
        parseManifest(broken);
      } catch (error) {
        message = (error as Error).message;
      }
      assertEquals(
        message,
        "Cannot read the manifest as columnNames is not the names of an output of 2 columns",
      );
    }
    const drawn = await runTask("sample", ["g.onnx", "--count", "3", "--out", "drawn.csv"], folder);
    assertEquals(drawn.code, 0, drawn.stderr);
    const again = await runTask("data", ["drawn.csv", "--cache", "none", "--json"], folder);
    assertMatch(again.stdout, /column +width: \S+ to \S+, mean \S+, standard deviation /);
    const found = JSON.parse(again.stdout.trimEnd().split("\n").at(-1)!);
    assertEquals([found.count, found.shape], [3, [2]]);
  }));
