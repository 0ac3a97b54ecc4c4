/** A run with TensorBoard's event files: what they hold when it is interrupted and resumed. */
import { assert, assertEquals } from "@std/assert";
import { presetConfig, resumeRun, trainRun } from "../../mod.ts";
import { decodeRecords } from "../run/event_records.ts";

/** The event files of a folder in the order of their names, each as text: tags stand in it as they are. */
async function eventFiles(folder: string): Promise<{ records: number; text: string }[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith("events.out.tfevents.")) names.push(name);
  }
  return await Promise.all(
    names.sort().map(async (name) => {
      const bytes = await Deno.readFile(`${folder}/${name}`);
      return {
        records: decodeRecords(bytes).length,
        text: new TextDecoder("latin1").decode(bytes),
      };
    }),
  );
}

Deno.test("trainRun() with tensorboard writes one event file a session, with images and options", async () => {
  const runsFolder = await Deno.makeTempDir();
  const config = {
    ...presetConfig("ring-2d"),
    data: { source: "ring-2d" as const, count: 500 },
    batchSize: 50,
    duration: { steps: 4 },
    snapshots: { rows: 2, columns: 2, everySteps: 2 },
    device: "cpu" as const,
    tensorboard: true,
  };
  let folder: string;
  {
    await using run = await trainRun(config, { runsFolder });
    folder = run.folder!;
  }
  {
    await using _ = await resumeRun(folder, { config: { ...config, duration: { steps: 6 } } });
  }
  const [first, second, ...more] = await eventFiles(folder);
  assertEquals(more, []);
  assert(first.records > 8 && second.records > 4, `${first.records} and ${second.records} records`);
  for (const { text } of [first, second]) {
    for (const tag of ["train/dLoss", "progress/stepMs", "_hparams_/session_start_info", "IHDR"]) {
      assert(text.includes(tag), tag);
    }
    assert(text.includes("generatorOptimizer.learningRate"));
  }
  assert(second.text.includes("Resumed on onnx-"), "the resume is recorded");
});

Deno.test("trainRun() without tensorboard writes no event file", async () => {
  const config = {
    ...presetConfig("ring-2d"),
    data: { source: "ring-2d" as const, count: 500 },
    batchSize: 50,
    duration: { steps: 1 },
    device: "cpu" as const,
  };
  await using run = await trainRun(config, { runsFolder: await Deno.makeTempDir() });
  assertEquals(await eventFiles(run.folder!), []);
});
