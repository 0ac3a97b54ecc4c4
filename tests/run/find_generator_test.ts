import { assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../src/errors.ts";
import { findGenerator } from "../../src/run/find_generator.ts";

Deno.test("findGenerator() takes a file, or a run by path, name, number or latest", async () => {
  const root = await Deno.makeTempDir();
  try {
    for (const name of ["00000-a", "00001-b"]) {
      await Deno.mkdir(`${root}/${name}`);
      await Deno.writeTextFile(`${root}/${name}/generator.onnx`, "");
    }
    const options = { runsFolder: root, purpose: "sample from" };
    const run = `${root}/00001-b`;
    const model = `${run}/generator.onnx`;
    for (const target of ["latest", "1", "00001", "00001-b", run, `${run}/`]) {
      assertEquals(await findGenerator(target, options), { model, run }, target);
    }
    assertEquals(await findGenerator(model, options), { model });

    const missing = `${root}/none.onnx`;
    await assertRejects(
      () => findGenerator(missing, options),
      UserError,
      `Cannot sample from ${missing}: there is no such file; name an ONNX file, a run, or latest`,
    );
    await assertRejects(() => findGenerator("7", options), UserError, "Cannot find the run 7");
    await Deno.remove(model);
    await assertRejects(
      () => findGenerator("latest", { ...options, purpose: "serve" }),
      UserError,
      `Cannot serve ${run}: it has no generator.onnx; export it with deno task export ${run}`,
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
