/** `deno task export MODEL.json`, as a person calls it. */
import { assertEquals, assertMatch } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import { writeLayersModel } from "../export/stored_models.ts";

const script = new URL("../../tasks/export.ts", import.meta.url).pathname;

async function call(...args: string[]): Promise<{ code: number; out: string; error: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      "--allow-env",
      "--allow-sys",
      "--allow-ffi",
      script,
      ...args,
    ],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), error: text(stderr) };
}

Deno.test("deno task export writes a model from disk and says what it is", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await tf.setBackend("cpu");
    const any = [null, null, 3] as unknown as [number, number, number];
    const model = tf.sequential({
      layers: [
        tf.layers.conv2d({
          filters: 4,
          kernelSize: 3,
          strides: 2,
          padding: "same",
          inputShape: any,
        }),
        tf.layers.upSampling2d({ size: [2, 2] }),
      ],
    });
    await writeLayersModel(model, folder);
    const path = `${folder}/model.json`;
    const [{ name }] = model.inputs;

    const done = await call(path, "--json");
    assertEquals(done.code, 0, done.error);
    assertMatch(
      done.out,
      /model\.onnx, a layers model as a function \(detected; --as says otherwise\)/,
    );
    assertMatch(done.out, /checked {3}gives what the model gives/);
    const line = JSON.parse(done.out.trim().split("\n").at(-1)!);
    assertEquals([line.kind, line.as, line.inputNames], ["layers", "function", [name]]);
    assertEquals((await Deno.stat(line.path)).size, line.sizeBytes);

    const given = await call(path, "--shape", `${name}=N,16,W,3`, "--out", `${folder}/a.onnx`);
    assertEquals(given.code, 0, given.error);

    const refused: [args: string[], message: RegExp][] = [
      [[path, "--shape", "x=1,2"], /^error: Cannot give input x a shape: there is none/m],
      [[path, "--shape", "16"], /expected INPUT=N,64,64,3/],
      [[path, "--checkpoint", "best"], /with --checkpoint: that is for runs/],
      [["latest", "--as", "function"], /with --as: that is for a MODEL\.json/],
      [[`${folder}/none.json`], /there is no such file/],
      [[path, "--as", "generator"], /must take one float32 latent/],
    ];
    for (const [args, message] of refused) {
      const { code, error } = await call(...args);
      assertEquals(code, 2, error);
      assertMatch(error, message);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
