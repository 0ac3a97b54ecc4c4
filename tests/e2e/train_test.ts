/** The whole way: train, export, sample, as a user does it. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { decodePng } from "../png.ts";
import { readMetrics } from "../../src/run/metrics_log.ts";
import { inFolder, runTask, TINY, writeConfig } from "./cli.ts";

Deno.test("deno task train leaves a complete run folder and says where it is", () =>
  inFolder(async (folder) => {
    await writeConfig(folder, TINY);
    const { code, stdout, stderr } = await runTask("train", ["tiny.json", "--json"], folder);
    assertEquals(code, 0, stderr);
    assertEquals(stderr, "");
    const json = JSON.parse(stdout.trimEnd().split("\n").at(-1)!);
    assertEquals(json.run, "runs/00000-digits-tiny");
    assertEquals(json.step, 12);
    assert(json.parity.maxDifference <= 1e-5, `parity ${json.parity.maxDifference}`);
    assertEquals(json.parity.count, 64);

    const run = `${folder}/${json.run}`;
    const names = (await Array.fromAsync(Deno.readDir(run), (entry) => entry.name)).sort();
    for (
      const name of [
        "checkpoints",
        "config.json",
        "generator.onnx",
        "losses.png",
        "losses.svg",
        "metrics.jsonl",
        "reals.png",
        "report.md",
        "sampled.png",
        "samples",
        "samples.gif",
      ]
    ) assert(names.includes(name), `${name} in ${names}`);
    assertEquals(JSON.parse(await Deno.readTextFile(`${run}/config.json`)), TINY);

    const metrics = await readMetrics(`${run}/metrics.jsonl`);
    assertEquals(metrics.map((line) => line.step), Array.from({ length: 12 }, (_, i) => i + 1));
    for (const name of ["images", "wallS", "stepMs", "dLoss", "gLoss", "dReal", "dFake"]) {
      assert(metrics.every((line) => Number.isFinite(line[name])), name);
    }
    const samples = await Array.fromAsync(Deno.readDir(`${run}/samples`), (entry) => entry.name);
    assertEquals(samples.sort(), ["00000000.png", "00000006.png", "00000012.png"]);

    // The sampler draws from the file what the trainer last drew: the same seeds, the same pixels.
    const trained = await decodePng(await Deno.readFile(`${run}/samples/00000012.png`));
    const sampled = await decodePng(await Deno.readFile(`${run}/sampled.png`));
    assertEquals([sampled.width, sampled.height], [trained.width, trained.height]);
    let largest = 0;
    trained.data.forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value - sampled.data[i]));
    });
    assert(largest <= 1, `the images differ by ${largest} levels`);
  }));

Deno.test("deno task export and sample work on a run's name and on a file", () =>
  inFolder(async (folder) => {
    await writeConfig(folder, TINY);
    assertEquals((await runTask("train", ["tiny.json"], folder)).code, 0);
    const exported = await runTask(
      "export",
      ["latest", "--out", "g.onnx", "--output", "uint8"],
      folder,
    );
    assertEquals(exported.code, 0, exported.stderr);
    const sampled = await runTask(
      "sample",
      ["g.onnx", "--seeds", "0,2-4", "--trunc", "0.5", "--out", "out/grid.png", "--scale", "2"],
      folder,
    );
    assertEquals(sampled.code, 0, sampled.stderr);
    assertStringIncludes(sampled.stdout, "sampled   4 from g.onnx");
    const grid = await decodePng(await Deno.readFile(`${folder}/out/grid.png`));
    assertEquals([grid.width, grid.height], [2 * (2 * 8 + 3), 2 * (2 * 8 + 3)]);
    const single = await runTask("sample", ["0", "--count", "2", "--out", "images/"], folder);
    assertEquals(single.code, 0, single.stderr);
    const names = await Array.fromAsync(Deno.readDir(`${folder}/images`), (entry) => entry.name);
    assertEquals(names.sort(), ["seed0000.png", "seed0001.png"]);
  }));

Deno.test("deno task train --dry-run shows the plan and writes nothing", () =>
  inFolder(async (folder) => {
    const { code, stdout } = await runTask("train", ["cifar-dcgan", "--dry-run"], folder);
    assertEquals(code, 2, stdout); // it needs its data
    const digits = await runTask("train", ["--dry-run", "--batch", "16", "--json"], folder);
    assertEquals(digits.code, 0, digits.stderr);
    assertStringIncludes(digits.stdout, "dense_1");
    const plan = JSON.parse(digits.stdout.trimEnd().split("\n").at(-1)!);
    assertEquals(plan.totalSteps, (presetConfig("digits").duration as { steps: number }).steps);
    // G has 6 + 3 + 6 operations a sample, D 2: D's update a fake, and D forward and back on two samples; G's
    // there and back through G, and through D to its input. A penalty: D there and back twice.
    const points = ["mixture-1d", "--dry-run", "--json", "--batch", "1"];
    const penalty = ["--set", "objective.r1.gamma=1"];
    for (
      const [options, flops] of [
        [[], 15 + 2 * 3 * 2 + 3 * 15 + 2 * 2],
        [penalty, 76 + 3 * 2 * 2],
        [[...penalty, "--set", "objective.penaltyEvery=4"], 76 + 3],
      ] as const
    ) {
      const { stdout, stderr } = await runTask("train", [...points, ...options], folder);
      assertEquals(JSON.parse(stdout.trimEnd().split("\n").at(-1)!).flopsPerStep, flops, stderr);
      assertStringIncludes(
        stdout,
        `48 B of weights and optimizer state, about ${flops} FLOP a step`,
      );
    }
    assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
  }));

Deno.test("the 1-D presets report theory, and their curves", () =>
  inFolder(async (folder) => {
    const { code, stdout, stderr } = await runTask(
      "train",
      ["uniform-to-normal", "--steps", "200", "--device", "cpu", "--json"],
      folder,
    );
    assertEquals(code, 0, stderr);
    const run = `${folder}/runs/00000-normal-1d-uniform-to-normal`;
    const report = await Deno.readTextFile(`${run}/report.md`);
    for (const text of ["KL(", "JSD", "V(G, D", "log 4"]) assertStringIncludes(report, text);
    assertStringIncludes(stdout, "-log 4 + 2 JSD");
    const svg = await Deno.readTextFile(`${run}/samples-final.svg`);
    assertStringIncludes(svg, "optimal D*(x)");
    assertEquals((await Deno.readTextFile(`${run}/sampled.csv`)).trim().split("\n").length, 1000);
  }));

Deno.test("a generator with dropout at sampling draws alike in training, in the file and by its app", () =>
  inFolder(async (folder) => {
    const layers = TINY.generator.layers.toSpliced(3, 0, {
      type: "dropout",
      rate: 0.4,
      atSampling: true,
    });
    await writeConfig(folder, { ...TINY, generator: { ...TINY.generator, layers } });
    const { code, stderr } = await runTask("train", ["tiny.json"], folder);
    assertEquals(code, 0, stderr);
    const run = `${folder}/runs/00000-digits-tiny`;
    const trained = await decodePng(await Deno.readFile(`${run}/samples/00000012.png`));
    const sampled = await decodePng(await Deno.readFile(`${run}/sampled.png`));
    let largest = 0;
    trained.data.forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value - sampled.data[i]));
    });
    assert(largest <= 1, `the images differ by ${largest} levels`);
    const evaluated = await runTask("evaluate", ["latest", "--count", "64"], folder);
    assertEquals(evaluated.code, 0, evaluated.stderr);
    const critic = TINY.discriminator.layers.map((layer) =>
      layer.type === "dropout" ? { ...layer, atSampling: true } : layer
    );
    const wrong = {
      ...TINY,
      preset: "wrong",
      discriminator: { ...TINY.discriminator, layers: critic },
    };
    await writeConfig(folder, wrong);
    const refused = await runTask("train", ["wrong.json"], folder);
    assertEquals(refused.code, 2);
    assertStringIncludes(refused.stderr, "Cannot use dropout_1 in the discriminator");
  }));
