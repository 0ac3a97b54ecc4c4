/** The DCGAN tutorial in PyTorch, as a process that trains by the clock and leaves samples at the marks. */
import { UserError } from "../../errors.ts";
import { measuredEnvironment } from "../../reproduction/measured_environment.ts";

/** A run of the tutorial in PyTorch. */
export interface PytorchRun {
  /** The program that has torch and numpy. */
  python: string;
  /** The training images as uint8 `.npy`, `[count, height, width, channels]`. */
  pixels: string;
  /** Where its samples go. */
  folder: string;
  minutes: number;
  marks: number;
  samples: number;
  seed: number;
  signal?: AbortSignal;
  /** What it says of itself and of its progress, line by line. */
  onLine?: (line: string) => void;
}

const SCRIPT = new URL("../../../bench/tutorial_images.py", import.meta.url);

/**
 * Checks that the tutorial can run at all, before anything is trained.
 * @returns what the peer computes with
 * @throws {UserError} where there is no such Python, it has no torch, or its BLAS is the reference one
 */
export async function checkPytorch(python: string): Promise<string> {
  const code = "import tutorial_images; print(tutorial_images.description())";
  try {
    const { success, stdout, stderr } = await pythonProcess(python, ["-c", code], {
      PYTHONPATH: new URL(".", SCRIPT).pathname,
    }).output();
    if (success) return new TextDecoder().decode(stdout).trim();
    throw refusal(python, lastLine(stderr));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw refusal(python, "there is no such program");
  }
}

/** Trains until the minutes are over, from where it stopped. @returns whether it is complete */
export async function trainTutorialInPytorch(run: PytorchRun): Promise<boolean> {
  const { python, pixels, folder, minutes, marks, samples, seed, signal, onLine } = run;
  const child = pythonProcess(python, [
    SCRIPT.pathname,
    pixels,
    folder,
    ...[minutes, marks, samples, seed].map(String),
  ]).spawn();
  const stop = () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // it has ended
    }
  };
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  try {
    const errors = new Response(child.stderr).bytes();
    const lines = child.stdout.pipeThrough(new TextDecoderStream());
    let rest = "";
    for await (const text of lines) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      for (const line of parts) onLine?.(line);
    }
    const { code } = await child.status;
    if (code === 0) return true;
    if (signal?.aborted) return false;
    throw refusal(python, lastLine(await errors));
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function pythonProcess(
  python: string,
  args: string[],
  env: Record<string, string> = {},
): Deno.Command {
  return new Deno.Command(python, {
    args,
    env: { ...measuredEnvironment().env, PYTHONDONTWRITEBYTECODE: "1", ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

function lastLine(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trim().split("\n").at(-1) || "it failed without a message";
}

function refusal(python: string, reason: string): UserError {
  return new UserError(
    `Cannot run the tutorial in PyTorch with ${python}: ${
      reason.replace(/^\w*Error: /, "")
    }; name a ` +
      "Python that has torch and numpy with --python, or leave the recipe out with " +
      "--recipes tutorial,best",
  );
}
