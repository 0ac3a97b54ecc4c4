/** The reference implementation's checker and shape inference, of Debian's python3-onnx. */
import { assertEquals } from "@std/assert";
import { exportedFiles } from "./exported_files.ts";

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
const known = typeof newest === "string" ? [] : [13, 14, 15, 16, 17, 18, 19, 20, 21]
  .filter((opset) => opset <= newest);
if (typeof newest === "string") console.warn(`no reference implementation of ONNX here: ${newest}`);

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
      const { stdout, stderr, success } = await new Deno.Command(PYTHON, {
        args: [script, ...files],
      }).output();
      assertEquals(success, true, new TextDecoder().decode(stderr));
      const lines = new TextDecoder().decode(stdout).trim().split("\n");
      const verdicts: { file: string; fault: string | null }[] = lines.map((line) =>
        JSON.parse(line)
      );
      assertEquals(verdicts.filter(({ fault }) => fault !== null), []);
      assertEquals(verdicts.length, files.length);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
