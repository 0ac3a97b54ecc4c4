/** Runs one measurement in a process of its own. */
import { measuredEnvironment } from "../src/reproduction/measured_environment.ts";

/** A measurement that hangs is given up after this long beyond its own time. */
const PATIENCE_MS = 90_000;

/**
 * Runs a program that prints a JSON line last.
 * @param seconds how long it measures
 * @returns what it measured, or why it could not
 */
export async function runMeasurement<Result>(
  program: string,
  args: readonly string[],
  seconds = 0,
): Promise<Result | string> {
  const patienceMs = PATIENCE_MS + 1000 * seconds;
  const signal = AbortSignal.timeout(patienceMs);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  try {
    const command = new Deno.Command(program, {
      args: [...args],
      env: { ...measuredEnvironment().env, NO_COLOR: "1", PYTHONDONTWRITEBYTECODE: "1" },
      clearEnv: true,
      signal,
    });
    const { success, stdout, stderr } = await command.output();
    if (success) return JSON.parse(text(stdout).split("\n").at(-1)!);
    if (signal.aborted) return `it did not end within ${Math.round(patienceMs / 1000)} s`;
    const reason = text(stderr).split("\n").find((line) => /error/i.test(line));
    return reason?.replace(/^.*?\w*Error: /, "") ?? "it failed without a message";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `there is no ${program}`;
    throw error;
  }
}

/** The arguments with which Deno runs a script of this folder, such as `sampling/measure_speed.ts`. */
export function denoScript(
  name: string,
  permissions: readonly string[],
  args: readonly string[],
): string[] {
  const script = new URL(name, import.meta.url).pathname;
  return ["run", "--no-check", "--no-prompt", ...permissions, script, ...args];
}
