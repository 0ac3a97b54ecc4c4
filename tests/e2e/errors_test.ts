/** A user's mistakes: one line, exit code 2, nothing lost. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { inFolder, runTask, TINY, writeConfig } from "./cli.ts";
import { assertRefuses, type Refusal } from "./refusals.ts";

/** Whatever is in the folder that the task runs in. */
async function prepare(folder: string): Promise<void> {
  await writeConfig(folder, TINY);
  await Deno.mkdir(`${folder}/empty`);
  await Deno.mkdir(`${folder}/mnist`);
  const images = new Uint8Array(16 + 28 * 28); // claims 10,000 images and has one
  new DataView(images.buffer).setUint32(0, 0x803);
  new DataView(images.buffer).setUint32(4, 10_000);
  new DataView(images.buffer).setUint32(8, 28);
  new DataView(images.buffer).setUint32(12, 28);
  await Deno.writeFile(`${folder}/mnist/t10k-images-idx3-ubyte`, images);
  await Deno.writeFile(`${folder}/mnist/t10k-labels-idx1-ubyte`, new Uint8Array(8));
  await Deno.writeTextFile(`${folder}/broken.onnx`, "this is not a model at all");
  await Deno.writeTextFile(`${folder}/page.onnx`, "<!doctype html><title>404</title>");
  await Deno.writeTextFile(`${folder}/points.csv`, "1,2\n3,4\n");
  await Deno.writeTextFile(`${folder}/broken.json`, "{");
  await Deno.mkdir(`${folder}/runs/00000-bare`, { recursive: true });
  await Deno.writeTextFile(`${folder}/runs/00000-bare/config.json`, JSON.stringify(TINY));
}

const WRONG: [command: string, message: string][] = [
  ["train mnist-mpl", "Cannot find the preset mnist-mpl (did you mean mnist-mlp?)"],
  ["train --stesp 5", "there is no option --stesp (did you mean --steps?)"],
  ["train --batch 0", "--batch is 0, expected a whole number of at least 1"],
  ["train --steps 1 --epochs 1", "--steps and --epochs both say how long"],
  ["train mnist-mlp", 'The data "mnist" need a path'],
  ["train mnist-mlp --data nowhere", "nowhere"],
  ["train mnist-mlp --data empty", "empty"],
  ["train mnist-mlp --data mnist", "t10k-images-idx3-ubyte"],
  ["train broken.json", "broken.json: it is not JSON"],
  ["train missing.json", "missing.json cannot be read"],
  ["train digits --download", 'Cannot download data for the source "digits"'],
  ["train tiny.json --set batchSize=65", "Cannot train: a step takes 65 samples"],
  ["train tiny.json --set generator.layers.0.units=x", "generator.layers.0.units"],
  ["train tiny.json --set latent.dimension=4", "the generator's inputShape is [3]"],
  ["train mnist-mlp --data points.csv", "a CSV file holds points"],
  ["train tiny.json --out points.csv/runs", "Cannot write"],
  ["sample broken.onnx --count 0", "--count is 0"],
  ["train --resume 7", "Cannot find the run 7"],
  ["train --resume runs/00000-bare", "Cannot find a checkpoint"],
  ["train mnist-mlp --resume latest", "a resumed run keeps its own config"],
  ["train tiny.json --out broken.json/x", "Cannot write"],
  ["export runs/00000-bare", "Cannot find a checkpoint"],
  ["export nothing", "Cannot find the run nothing"],
  [
    "export nothing --unchecked",
    "Cannot export nothing with --unchecked: that is for a MODEL.json",
  ],
  ["export nothing --shape a=N,2", "Cannot export nothing with --shape: that is for a MODEL.json"],
  ["export m.json --runs x", "Cannot export m.json with --runs: that is for runs"],
  ["sample missing.onnx", "missing.onnx"],
  ["sample broken.onnx", "broken.onnx"],
  ["sample page.onnx", "HTML"],
  ["sample runs/00000-bare", "it has no generator.onnx"],
  ["sample broken.onnx --seeds 1-x", 'Cannot read --seeds 1-x: "1-x" is neither'],
];

Deno.test("a user's mistake gives one line and exit code 2, and leaves everything as it was", () =>
  inFolder(async (folder) => {
    await prepare(folder);
    const before = await listing(folder);
    for (const [task, refusals] of Map.groupBy(WRONG, ([command]) => command.split(" ")[0])) {
      const [[first, message], ...others] = refusals.map(([command, message]): Refusal => [
        command.split(" ").slice(1),
        message,
      ]);
      // One of each task in a process of its own, as a user calls it.
      const { code, stdout, stderr } = await runTask(task, first, folder);
      assertEquals([code, stdout], [2, ""], stderr);
      assertStringIncludes(stderr, message);
      assertMatch(stderr, /^error: .*\n$/);
      await assertRefuses(task, others, folder);
    }
    assertEquals(await listing(folder), before);
  }));

/** Every file below a folder, with its size. */
async function listing(folder: string, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) names.push(...await listing(path, `${prefix}${entry.name}/`));
    else if (entry.name !== ".lock") {
      names.push(`${prefix}${entry.name} ${(await Deno.stat(path)).size}`);
    }
  }
  return names.sort();
}
