/** Runs scripts in a process of their own, for what a process can do only once: opening devices. */

/** Runs a script with the project's imports, and gives what it printed. */
export async function runScript(script: string, ...args: string[]): Promise<string> {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", `--config=${config}`, script, ...args],
    stderr: "inherit",
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** The address of a file under src/engine, as a script writes it. */
export function sourceUrl(path: string): string {
  return JSON.stringify(new URL(`../../src/engine/${path}`, import.meta.url).href);
}
