/** `deno task docs`: writes what is generated from the schema of a config: its types and their page. */
import { configTypes } from "./docs/config_types.ts";
import { optionsPage } from "./docs/options_page.ts";

const root = new URL("../", import.meta.url);

/** Formats TypeScript as the project does. */
async function formatted(source: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=ts", "-"],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(source));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("deno fmt could not format the generated types");
  return new TextDecoder().decode(stdout);
}

/** The generated files, by their paths in the project. */
export async function generatedFiles(): Promise<Record<string, string>> {
  return {
    "src/config/types.ts": await formatted(configTypes()),
    "docs/options.md": optionsPage(),
  };
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(await generatedFiles())) {
    const file = new URL(path, root);
    const before = await Deno.readTextFile(file).catch(() => undefined);
    if (before !== text) await Deno.writeTextFile(file, text);
    console.log(`${before === text ? "unchanged" : "written  "} ${path}`);
  }
}
