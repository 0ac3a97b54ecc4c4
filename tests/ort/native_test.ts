/** Which onnxruntime-node is taken: the version that this project is tested with, and no other. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { loadNative, NATIVE_VERSION } from "../../src/ort/native.ts";
import { runScript } from "../sampler/helpers.ts";

/** Runs `test` with a folder, several levels below whose parent `version` of a package is installed. */
async function withPackage(
  version: string,
  test: (folder: string, root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  const home = `${root}/node_modules/onnxruntime-node`;
  await Deno.mkdir(home, { recursive: true });
  await Deno.mkdir(`${root}/a/b`, { recursive: true });
  await Deno.writeTextFile(`${home}/package.json`, JSON.stringify({ version, main: "main.cjs" }));
  await Deno.writeTextFile(
    `${home}/main.cjs`,
    `globalThis.loadedVersion = "${version}"; module.exports = { env: { versions: {} } };`,
  );
  try {
    await test(`${root}/a/b`, root);
  } finally {
    await Deno.remove(root, { recursive: true });
    delete (globalThis as { loadedVersion?: string }).loadedVersion;
  }
}

function loadedVersion(): string | undefined {
  return (globalThis as { loadedVersion?: string }).loadedVersion;
}

Deno.test("loadNative() takes the version of onnxruntime-web that deno.json pins", async () => {
  const { imports } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  assertEquals(imports["onnxruntime-web"], `npm:onnxruntime-web@${NATIVE_VERSION}`);
  await withPackage(NATIVE_VERSION, async (folder) => {
    const native = await loadNative([`file://${folder}/`]);
    assert("ort" in native);
    assertEquals(loadedVersion(), NATIVE_VERSION);
  });
});

Deno.test("loadNative() runs nothing of another version, and says which was found and which is needed", async () => {
  await withPackage("1.29.1", async (folder, root) => {
    const native = await loadNative([`file://${folder}/`]);
    assertEquals(native, {
      isInstalled: true,
      missing: `${await Deno.realPath(root)}/node_modules/onnxruntime-node has version 1.29.1, ` +
        `and ${NATIVE_VERSION} is needed: ` +
        `npm install --no-save --ignore-scripts onnxruntime-node@${NATIVE_VERSION}`,
    });
    assertEquals(loadedVersion(), undefined);
  });
});

Deno.test("loadNative() passes over another version for the right one in the next place", async () => {
  await withPackage("1.29.1", async (wrong) => {
    await withPackage(NATIVE_VERSION, async (right) => {
      assert("ort" in await loadNative([`file://${wrong}/`, `file://${right}/`]));
    });
  });
});

Deno.test("loadNative() says how to install a package that is not there", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const native = await loadNative([`file://${folder}/`, "https://example.com/x.ts"]);
    assert("missing" in native);
    assertEquals(native.isInstalled, false);
    assertMatch(
      native.missing,
      /^there is no such package; npm install .* and it needs --allow-ffi$/,
    );
  } finally {
    await Deno.remove(folder);
  }
});

Deno.test("the CPU engine says why an installed onnxruntime-node is not used, and uses the web's", async () => {
  await withPackage("1.29.1", async (folder) => {
    const script = `
import { createOnnxEngine } from ${
      JSON.stringify(import.meta.resolve("../../src/engine/onnx/mod.ts"))
    };
Deno.chdir(${JSON.stringify(folder)});
const engine = await createOnnxEngine({ threads: 1 });
console.log(engine.name + ": " + engine.description);
await createOnnxEngine({ runtime: "node" }).catch((error) => console.log(error.message));
Deno.exit(0);`;
    const lines = (await runScript(script, ["-A", "--no-check", "--no-lock"])).split("\n");
    const reason = "\\S+/node_modules/onnxruntime-node has version 1\\.29\\.1, and " +
      `${NATIVE_VERSION} is needed: npm install --no-save --ignore-scripts ` +
      `onnxruntime-node@${NATIVE_VERSION}`;
    assertMatch(
      lines[0],
      new RegExp(
        `^onnx-web: CPU through onnxruntime-web ${NATIVE_VERSION}, 1 thread ` +
          `\\(onnxruntime-node is not used: ${reason}\\)$`,
      ),
    );
    assertMatch(lines[1], new RegExp(`^Cannot load onnxruntime-node: ${reason}$`));
  });
});
