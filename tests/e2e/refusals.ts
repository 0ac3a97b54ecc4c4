/** Many commands that a task refuses: a process for all of them, where each alone takes a second to start. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT, taskArgs } from "./cli.ts";

/** A command's arguments, and what its one line has to hold. */
export type Refusal = [args: string[], message: string];

/**
 * Asserts that a task refuses each command with exit code 2 and one line.
 * @param folder where the commands run
 */
export async function assertRefuses(
  name: string,
  refusals: readonly Refusal[],
  folder: string,
): Promise<void> {
  const [run, ...rest] = await taskArgs(name);
  const permissions = rest.filter((arg) => arg.startsWith("-"));
  const commands = JSON.stringify(refusals.map(([args]) => args));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [run, "--quiet", ...permissions, `${ROOT}tests/e2e/refused_program.ts`, name, commands],
    cwd: folder,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  assertEquals(code, 0, text.decode(stderr));
  const lines = text.decode(stdout).split("\n").filter((line) => line.startsWith('{"code":'));
  const outcomes = lines.map((line) => JSON.parse(line));
  assertEquals(outcomes.length, refusals.length);
  for (const [index, { code, stderr }] of outcomes.entries()) {
    const [args, message] = refusals[index];
    const command = `${name} ${args.join(" ")}: ${stderr}`;
    assertEquals(code, 2, command);
    assertStringIncludes(stderr, message, command);
    assertEquals(stderr.trimEnd().split("\n").length, 1, command);
    assertEquals(stderr.startsWith("error: "), true, command);
  }
}
