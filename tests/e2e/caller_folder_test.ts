/** Paths are meant from where a command was given, though `deno task` runs in the repository. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inFolder, ROOT, TINY, writeConfig } from "./cli.ts";

/** Runs `deno task` itself, which goes to the folder of deno.json and says in INIT_CWD where it came from. */
async function denoTask(args: string[], cwd: string): Promise<{ code: number; text: string }> {
  const { INIT_CWD: _, ...env } = Deno.env.toObject(); // what a `deno task test` around this has set
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "--config", `${ROOT}deno.json`, ...args],
    cwd,
    clearEnv: true,
    env: { ...env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("deno task takes every path from where it is called: config, data, runs, cache, models", () =>
  inFolder(async (folder) => {
    const place = `${folder}/some where`;
    await Deno.mkdir(place);
    await writeConfig(place, TINY);
    const points = Array.from({ length: 64 }, (_, i) => `${i % 8},${Math.floor(i / 8)}\n`).join("");
    await Deno.writeTextFile(`${place}/points.csv`, `x,y\n${points}`);
    const run = async (...args: string[]) => {
      const { code, text } = await denoTask(args, place);
      assertEquals(code, 0, text);
      return text;
    };
    const config = `${TINY.preset}.json`;
    const steps = ["--steps", "2", "--device", "cpu"];
    await run("train", config, "--out", "mine", ...steps);
    const runs = Array.from(Deno.readDirSync(`${place}/mine`), ({ name }) => name);
    assertEquals(runs.filter((name) => name.startsWith("00000-")).length, 1, runs.join());
    await run("train", "--resume", "latest", "--out", "mine", "--steps", "3", "--device", "cpu");
    const plan = await run(
      "train",
      "ring-2d",
      "--data",
      "points.csv",
      "--batch",
      "8",
      "--dry-run",
      "--epochs",
      "3",
    );
    assertStringIncludes(plan, "64 points in 2-D of points.csv");
    assertStringIncludes(plan, "note      24 steps in all (epochs: 3, with 8 each) are few");
    await run("data", "points.csv", "--cache", "kept", "--out", "sheets/look.png");
    assert(await exists(`${place}/sheets/look.png`));
    await run("export", "latest", "--runs", "mine", "--out", "models/g.onnx");
    await run("sample", "models/g.onnx", "--count", "4", "--out", "out/g.png");
    await run("evaluate", "latest", "--runs", "mine", "--count", "20", "--out", "figures.json");
    await run("example:web", "models/g.onnx", "--out", "site");
    for (const file of ["models/g.onnx", "out/g.png", "figures.json", "site/index.html"]) {
      assert(await exists(`${place}/${file}`), file);
    }
    const { code, text } = await denoTask(["data", "nowhere.csv"], place);
    assertEquals(code, 2);
    assertStringIncludes(
      text,
      `Cannot read nowhere.csv: there is no such file or folder in ${Deno.realPathSync(place)}`,
    );
  }));

Deno.test("a task that deno task did not start stays where it is, whatever INIT_CWD says", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/points.csv`, "x,y\n1,2\n3,4\n5,6\n");
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", `${ROOT}tasks/data.ts`, "points.csv", "--cache", "none"],
      cwd: folder,
      env: { INIT_CWD: "/", NO_COLOR: "1" },
    }).output();
    assertEquals(code, 0);
    assertStringIncludes(new TextDecoder().decode(stdout), "3 points in 2-D of points.csv");
  }));
