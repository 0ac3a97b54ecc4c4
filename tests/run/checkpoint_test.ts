import { assert, assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../src/errors.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import {
  checkpointSteps,
  readLatestCheckpoint,
  removeLaterCheckpoints,
  removePartial,
  writeCheckpoint,
} from "../../src/run/checkpoint.ts";

function stateOf(value: number): HostTensors {
  return { w: { shape: [3], dtype: "float32", data: new Float32Array(3).fill(value) } };
}

async function writeStep(folder: string, step: number, keep = 2): Promise<void> {
  const checkpoint = { step, images: step * 8, wallSeconds: step / 10, engine: "tfjs-cpu" };
  await writeCheckpoint(folder, { ...checkpoint, state: stateOf(step) }, { keep });
}

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("readLatestCheckpoint() gives what the last writeCheckpoint() wrote", () =>
  withFolder(async (folder) => {
    for (const step of [5, 20, 100]) await writeStep(folder, step, 3);
    const latest = await readLatestCheckpoint(folder);
    assertEquals(latest.step, 100);
    assertEquals(latest.images, 800);
    assertEquals(latest.state, stateOf(100));
  }));

Deno.test("writeCheckpoint() keeps the latest ones only", () =>
  withFolder(async (folder) => {
    for (const step of [1, 2, 3, 4]) await writeStep(folder, step, 2);
    assertEquals(await checkpointSteps(folder), [3, 4]);
  }));

Deno.test("writeCheckpoint() leaves a checkpoint of the same state alone and replaces a damaged one", () =>
  withFolder(async (folder) => {
    await writeStep(folder, 7);
    const file = `${folder}/00000007/state.safetensors`;
    const before = (await Deno.stat(file)).mtime?.getTime();
    await writeStep(folder, 7);
    assertEquals((await Deno.stat(file)).mtime?.getTime(), before);
    await flipLastByte(file);
    await writeStep(folder, 7);
    assertEquals((await readLatestCheckpoint(folder)).state, stateOf(7));
  }));

Deno.test("readLatestCheckpoint() passes over a flipped byte and says so", () =>
  withFolder(async (folder) => {
    await writeStep(folder, 1);
    await writeStep(folder, 2);
    await flipLastByte(`${folder}/00000002/state.safetensors`);
    const warnings: string[] = [];
    const latest = await readLatestCheckpoint(folder, (message) => warnings.push(message));
    assertEquals(latest.step, 1);
    assertEquals(warnings.length, 1);
    assert(warnings[0].includes("00000002: state.safetensors has SHA-256"), warnings[0]);
  }));

Deno.test("readLatestCheckpoint() says so when there is none or all are damaged", () =>
  withFolder(async (folder) => {
    await assertRejects(() => readLatestCheckpoint(folder), UserError, "it has none");
    await writeStep(folder, 3);
    await Deno.remove(`${folder}/00000003/checkpoint.json`);
    await assertRejects(
      () => readLatestCheckpoint(folder),
      UserError,
      "its 1 checkpoints are damaged",
    );
  }));

Deno.test("checkpointSteps() does not see what was being written when a process was killed", () =>
  withFolder(async (folder) => {
    await writeStep(folder, 3);
    await Deno.mkdir(`${folder}/.partial-77-00000009`);
    await Deno.writeTextFile(`${folder}/.partial-77-00000009/state.safetensors`, "half");
    assertEquals(await checkpointSteps(folder), [3]);
    await removePartial(folder);
    const names = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
    assertEquals(names, ["00000003"]);
  }));

Deno.test("writeCheckpoint() never removes itself for a later one, which may be damaged", () =>
  withFolder(async (folder) => {
    await writeStep(folder, 10, 1);
    await writeStep(folder, 30, 1);
    await flipLastByte(`${folder}/00000030/state.safetensors`);
    await writeStep(folder, 20, 1);
    assertEquals(await checkpointSteps(folder), [20, 30]);
    await removeLaterCheckpoints(folder, 20);
    assertEquals((await readLatestCheckpoint(folder)).state, stateOf(20));
  }));

async function flipLastByte(file: string): Promise<void> {
  const bytes = await Deno.readFile(file);
  bytes[bytes.length - 1] ^= 1;
  await Deno.writeFile(file, bytes);
}
