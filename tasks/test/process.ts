/** Running a command and seeing what it printed while it prints it. */

/** What a command did. */
export interface CommandResult {
  code: number;
  /** What it printed, both streams, without colors. */
  output: string;
  seconds: number;
}

/**
 * Runs a command, passing on what it prints.
 * @param options.quiet whether to print nothing unless it fails
 * @param options.prefix goes before each line, so that commands that run at once can be told apart
 */
export async function runCommand(
  command: string,
  args: string[],
  options: { quiet?: boolean; prefix?: string; env?: Record<string, string> } = {},
): Promise<CommandResult> {
  const startedAt = performance.now();
  const child = new Deno.Command(command, {
    args,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const chunks: string[] = [];
  async function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let open = ""; // a line whose end has not come
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      chunks.push(text);
      if (options.quiet) continue;
      const lines = (open + text).split("\n");
      open = lines.pop()!;
      for (const line of lines) console.log(`${options.prefix ?? ""}${line}`);
    }
    if (open !== "" && !options.quiet) console.log(`${options.prefix ?? ""}${open}`);
  }
  const [status] = await Promise.all([child.status, collect(child.stdout), collect(child.stderr)]);
  const output = chunks.join("");
  if (options.quiet && !status.success) console.log(output);
  return { code: status.code, output, seconds: (performance.now() - startedAt) / 1000 };
}

/** Whether a program can be found. */
export async function hasProgram(name: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("sh", {
      args: ["-c", `command -v ${name}`],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}
