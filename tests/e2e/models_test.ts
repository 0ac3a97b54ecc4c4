/** Presets of several networks on the command line: trained, interrupted, resumed, exported, evaluated, refused. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { checkpointSteps } from "../../src/run/checkpoint.ts";
import { inFolder, kill, MIDWAY, resumedMidway, runTask, startTask, waitFor } from "./cli.ts";
import { assertRefuses, type Refusal } from "./refusals.ts";

/** Options that make a preset train in seconds. */
const SMALL = ["--device", "cpu", "--set", "data.count=60", "--size", "24", "--batch", "2"];

const PRESETS = {
  "pix2pix": { options: ["--set", "recipe.filters=2"], measure: "l1", input: "a" },
  "cyclegan": {
    options: ["--set", "recipe.filters=2", "--set", "recipe.blocks=1"],
    measure: "l1",
    input: "a",
  },
  "super-resolution": {
    options: [
      ...["--set", "recipe.filters=2", "--set", "recipe.blocks=1"],
      ...["--set", "recipe.adversarialFromStep=2"],
    ],
    measure: "psnr",
    input: "low",
  },
};

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}

for (const [preset, { options, measure }] of Object.entries(PRESETS)) {
  Deno.test(`deno task train ${preset} trains, resumes to the same bits, exports and evaluates`, () =>
    inFolder(async (folder) => {
      const args = [preset, ...SMALL, ...options, "--steps", "4", ...MIDWAY];
      const whole = await runTask("train", args, folder);
      assertEquals(whole.code, 0, whole.stderr + whole.stdout);
      const { json: { run, measures }, state } = await resumedMidway(folder, 4);
      assertEquals(state.resumed, state.whole);
      for (const file of ["generator.onnx", "report.md", "losses.png", "samples.gif"]) {
        assert(await isFile(`${folder}/${run}/${file}`), `${file} is missing`);
      }
      assertEquals(measures[0].name, measure);
      const evaluated = await runTask("evaluate", ["latest", "--count", "4", "--json"], folder);
      assertEquals(evaluated.code, 0, evaluated.stderr);
      const evaluation = JSON.parse(evaluated.stdout.trim().split("\n").at(-1)!);
      assertEquals(evaluation.data.count, 4);
      if (preset !== "pix2pix") return; // configs of all are written alike
      const again = await runTask("train", [`${run}/config.json`, "--dry-run"], folder);
      assertEquals(again.code, 0, again.stderr);
    }));
}

Deno.test("Ctrl-C in a model's training saves, exits with 130 and says how to go on", () =>
  inFolder(async (folder) => {
    const args = ["pix2pix", ...SMALL, ...PRESETS.pix2pix.options];
    const child = await startTask("train", [
      ...args,
      "--set",
      'checkpoints={"everySteps":1,"keep":1}',
    ], folder);
    const run = `${folder}/runs/00000-digit-edges-pix2pix`;
    await waitFor(async () => (await checkpointSteps(`${run}/checkpoints`)).length > 0, child);
    kill(child, "SIGINT");
    const { code, stdout } = await child.output();
    const text = new TextDecoder().decode(stdout);
    assertEquals(code, 130, text);
    assertStringIncludes(text, "deno task train --resume runs/00000-digit-edges-pix2pix");
  }));

Deno.test("presets of several networks refuse what does not fit, in one line", () =>
  inFolder(async (folder) => {
    const png = await Deno.readFile(new URL("../../docs/images/digits.png", import.meta.url));
    for (const path of ["pairs/A/one.png", "pairs/A/two.png", "pairs/B/one.png", "few/x.png"]) {
      await Deno.mkdir(`${folder}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
      await Deno.writeFile(`${folder}/${path}`, png);
    }
    const cases: Refusal[] = [
      [
        ["pix2pix", "--data", "pairs"],
        "A/two.png has no partner called two in B; both folders need files of the same names",
      ],
      [["cyclegan", "--data", "few"], "expected folders A and B, or trainA and trainB"],
      [["super-resolution", "--data", "few"], "1 image is too few to hold 1 back"],
      [["cyclegan", "--size", "16"], "need 24 or more; use --size 24"],
      [["pix2pix", "--size", "30"], "height and width have to be multiples of 8"],
      [["super-resolution", "--set", "recipe.factor=5"], "multiples of 5, the factor"],
      [["super-resolution", "--set", "recipe.factor=9"], "recipe.factor"],
      [["cyclegan", "--freeze-d", "2"], "--freeze-d: that is for GANs"],
      [["pix2pix", "--set", "recipe.filter=4"], "recipe.filters"],
      [["pix2pix", "--set", "data.loadSize=16"], "it has to be at least 32"],
      [["pix2pix", "--export", "best"], "nothing is measured in this run"],
      [["pix2pix@32", "--size", "32"], "both say how large the images are"],
    ];
    await assertRefuses(
      "train",
      cases.map(([args, message]) => [[...args, "--dry-run"], message]),
      folder,
    );
  }));
