/** What ranks share out without gradients: samples and the runs of a table, the same for any number. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { BLOCK_SAMPLES, shardCount, shardRequests } from "../../tasks/cli/shards.ts";
import { sha256 } from "../../src/hash.ts";
import { trainRun } from "../../src/pipeline/train_run.ts";
import { TINY } from "../tiny_config.ts";
import { hasMpirun, MPIRUN_REASON, runRanks } from "./mpirun.ts";

const task = (name: string) => new URL(`../../tasks/${name}.ts`, import.meta.url).pathname;

Deno.test("shardRequests() gives each seed to one process, whatever their number", () => {
  const request = { count: 3 * BLOCK_SAMPLES + 10, seed: 5, truncation: 0.7 };
  for (const size of [1, 2, 3, 7]) {
    const seeds = Array.from({ length: size }, (_, rank) => {
      const parts = [...shardRequests(request, { rank, size })];
      assertEquals(parts.every(({ truncation }) => truncation === 0.7), true);
      const own = parts.flatMap(({ count, seed }) =>
        Array.from({ length: count! }, (_, i) => seed! + i)
      );
      assertEquals(own.length, shardCount(request, { rank, size }));
      return own;
    }).flat();
    assertEquals(
      seeds.sort((a, b) => a - b),
      Array.from({ length: request.count }, (_, i) => 5 + i),
    );
  }
  const list = Array.from({ length: 600 }, (_, i) => 2 * i);
  const parts = [0, 1].flatMap((rank) => [...shardRequests({ seeds: list }, { rank, size: 2 })]);
  assertEquals(parts.flatMap(({ seeds }) => [...seeds!]).sort((a, b) => a - b), list);
});

Deno.test({
  name: "1, 2 and 3 ranks draw the same files" + MPIRUN_REASON,
  ignore: !hasMpirun,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await using run = await trainRun({ ...TINY, duration: { steps: 2 } });
      const model = `${folder}/generator.onnx`;
      await run.export({ out: model });
      const sums: string[][] = [];
      for (const ranks of [1, 2, 3]) {
        const out = `${folder}/${ranks}/`;
        const { code, stderr, stdout } = await runRanks(ranks, [
          task("sample"),
          model,
          "--count",
          "600",
          "--scale",
          "1",
          "--out",
          out,
        ]);
        assertEquals(code, 0, stderr + stdout);
        const files = [...Deno.readDirSync(out)].map(({ name }) => name).sort();
        assertEquals(files.length, 600);
        sums.push(files.map((name) => name + sha256(Deno.readFileSync(out + name))));
      }
      assertEquals(sums[1], sums[0]);
      assertEquals(sums[2], sums[0]);
      const { code, stderr } = await runRanks(2, [
        task("sample"),
        model,
        "--out",
        `${folder}/a.png`,
      ]);
      assertEquals(code, 2);
      assertStringIncludes(
        stderr,
        "a.png by 2 processes: each writes its own images; give a folder",
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "ranks share out the runs of a table, and the table is that of one process" + MPIRUN_REASON,
  ignore: !hasMpirun,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const lines: Record<string, unknown>[][] = [];
      for (const ranks of [1, 2]) {
        const runs = `${folder}/${ranks}`;
        const { code, stdout, stderr } = await runRanks(ranks, [
          task("reproduce"),
          "ring",
          ...[
            "--recipes",
            "gan",
            "--seeds",
            "2",
            "--steps",
            "2",
            "--device",
            "cpu",
            "--runs",
            runs,
          ],
        ]);
        assertEquals(code, 0, stderr + stdout);
        assertEquals(stdout.match(/^Published: /gm)?.length, 1, "one table");
        const text = await Deno.readTextFile(`${runs}/reproduce-ring.jsonl`);
        lines.push(
          text.trim().split("\n").map((line) => {
            const { seconds: _, device: __, ...result } = JSON.parse(line);
            return result;
          }),
        );
      }
      assertEquals(lines[0].map(({ seed }) => seed), [0, 1]);
      const bySeed = (a: Record<string, unknown>, b: Record<string, unknown>) =>
        Number(a.seed) - Number(b.seed);
      assertEquals(lines[1].sort(bySeed), lines[0]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "1, 2 and 3 ranks measure the same figures, and one writes them" + MPIRUN_REASON,
  ignore: !hasMpirun,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const config = { ...TINY, data: { ...TINY.data, count: 800 }, duration: { steps: 2 } };
      await using run = await trainRun(config, { runsFolder: folder });
      await run.export();
      const figures: Record<string, unknown>[] = [];
      for (const ranks of [1, 2, 3]) {
        const out = `${folder}/${ranks}.json`;
        const { code, stdout, stderr } = await runRanks(ranks, [
          task("evaluate"),
          run.folder!,
          ...["--count", "800", "--out", out],
        ]);
        assertEquals(code, 0, stderr + stdout);
        assertEquals(stdout.match(/^wrote /gm)?.length, 1, stdout);
        const { seconds: _, model: __, ...rest } = JSON.parse(await Deno.readTextFile(out));
        figures.push(rest);
      }
      assertEquals(figures[1], figures[0]);
      assertEquals(figures[2], figures[0]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
