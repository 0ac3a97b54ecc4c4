/** The reference implementation's checker and shape inference, of Debian's python3-onnx. */
import { assertEquals, assertGreater } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { exportedFiles, exportedFunctions, OPSETS } from "./exported_files.ts";

const PYTHON = "/usr/bin/python3";
const script = new URL("onnx_check.py", import.meta.url).pathname;

/** The newest opset that the installed reference knows, or why there is none. */
async function newestOpset(): Promise<number | string> {
  try {
    const code = "import onnx; print(onnx.defs.onnx_opset_version())";
    const { success, stdout } = await new Deno.Command(PYTHON, {
      args: ["-c", code],
      stderr: "null",
    }).output();
    return success ? Number(new TextDecoder().decode(stdout)) : `${PYTHON} has no module onnx`;
  } catch (error) {
    return (error as Error).message;
  }
}

const newest = await newestOpset();
const known = typeof newest === "string" ? [] : OPSETS.filter((opset) => opset <= newest);
if (typeof newest === "string") console.warn(`no reference implementation of ONNX here: ${newest}`);

/** What the reference finds wrong with each file. */
async function faultsOf(files: string[]): Promise<{ file: string; fault: string }[]> {
  const { stdout, stderr, success } = await new Deno.Command(PYTHON, {
    args: [script, ...files],
  }).output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  assertEquals(lines.length, files.length);
  return lines.map((line) => JSON.parse(line)).filter(({ fault }) => fault !== null);
}

Deno.test({
  name: "ONNX' own checker and strict shape inference accept exported files",
  ignore: known.length === 0,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const files: string[] = [];
      for await (const { name, bytes } of exportedFiles(known)) {
        files.push(`${folder}/${name}.onnx`);
        await Deno.writeFile(files.at(-1)!, bytes);
      }
      assertEquals(await faultsOf(files), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "ONNX' own checker and strict shape inference accept files with open height and width",
  ignore: known.length === 0,
  async fn() {
    await tf.setBackend("cpu");
    const folder = await Deno.makeTempDir();
    try {
      const files: string[] = [];
      for await (const { name, bytes } of exportedFunctions(known)) {
        files.push(`${folder}/${name}.onnx`);
        await Deno.writeFile(files.at(-1)!, bytes);
      }
      assertEquals(await faultsOf(files), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "ONNX' own checker and strict shape inference accept every kernel in every opset they know",
  ignore: known.length === 0,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const tests = ["array", "elementwise", "image", "volume"]
        .map((room) => new URL(`../graph/kernels_${room}_test.ts`, import.meta.url).pathname);
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["test", "--no-check", "--allow-read", "--allow-write", "--allow-env", ...tests],
        env: { GANFORGE_KEPT_MODELS: folder },
        stdout: "null",
      }).output();
      assertEquals(success, true, new TextDecoder().decode(stderr));
      const names = Array.from(Deno.readDirSync(folder), ({ name }) => name)
        .filter((name) => known.includes(Number(/^opset(\d+)-/.exec(name)![1])));
      assertGreater(names.length, 200 * known.length);
      assertEquals(await faultsOf(names.map((name) => `${folder}/${name}`)), []);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
