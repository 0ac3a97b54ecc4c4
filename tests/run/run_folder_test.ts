import { assertEquals, assertRejects } from "@std/assert";
import { presetConfig } from "../../src/config/presets/mod.ts";
import { UserError } from "../../src/errors.ts";
import {
  createRunFolder,
  findRun,
  openRunFolder,
  readRunConfig,
  runNames,
} from "../../src/run/run_folder.ts";

async function withRoot(test: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await test(`${root}/runs`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const config = presetConfig("ring-2d");

Deno.test("createRunFolder() numbers runs and writes their config", () =>
  withRoot(async (root) => {
    for (const data of ["My Data!", "ring-2d"]) {
      using _folder = await createRunFolder(root, config, data);
    }
    assertEquals(await runNames(root), ["00000-my-data-ring-2d", "00001-ring-2d"]);
    assertEquals(await readRunConfig(`${root}/00001-ring-2d`), config);
  }));

Deno.test("findRun() takes a path, a name, a number or latest", () =>
  withRoot(async (root) => {
    for (let i = 0; i < 2; i++) {
      using _folder = await createRunFolder(root, config, "ring-2d");
    }
    const second = `${root}/00001-ring-2d`;
    for (const given of ["latest", "00001-ring-2d", "1", "00001", second, `${second}/`]) {
      assertEquals(await findRun(given, root), second);
    }
    await assertRejects(
      () => findRun("7", root),
      UserError,
      "Cannot find the run 7: there is no such folder",
    );
  }));

Deno.test("findRun() says so when there are no runs", () =>
  withRoot(async (root) => {
    await assertRejects(() => findRun("latest", root), UserError, "has none; train first");
  }));

Deno.test("openRunFolder() is refused while another owner has the folder", () =>
  withRoot(async (root) => {
    {
      using folder = await createRunFolder(root, config, "ring-2d");
      await assertRejects(
        () => openRunFolder(folder.path),
        UserError,
        "another process is training in it",
      );
    }
    using _again = await openRunFolder(`${root}/00000-ring-2d`);
  }));

Deno.test("readRunConfig() names what is wrong", () =>
  withRoot(async (root) => {
    await Deno.mkdir(root);
    await assertRejects(() => readRunConfig(root), UserError, "config.json cannot be read");
    await Deno.writeTextFile(`${root}/config.json`, "{");
    await assertRejects(() => readRunConfig(root), UserError, "it is not JSON");
    await Deno.writeTextFile(`${root}/config.json`, JSON.stringify({ ...config, batchSize: 0 }));
    await assertRejects(() => readRunConfig(root), UserError, "batchSize: ");
    await Deno.writeTextFile(`${root}/config.json`, JSON.stringify({ ...config, version: 9 }));
    await assertRejects(() => readRunConfig(root), UserError, "it is a config of version 9");
  }));
