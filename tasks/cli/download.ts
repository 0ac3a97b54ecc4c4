/** `--download`: fetches what a run's source reads, with a bar, before the run. */
import type { DataSpec } from "../../src/config/data.ts";
import { downloadSource } from "../../src/data/download.ts";

/**
 * Fetches the files of a source into `data/`.
 * @param log for the lines that stay
 * @returns the same source, reading these files
 * @throws {UserError} when they cannot be had
 */
export async function download(
  spec: DataSpec,
  log: (message: string) => void,
): Promise<DataSpec> {
  let shown = -1;
  const fetched = await downloadSource(spec, {
    onProgress({ file, doneBytes, totalBytes }) {
      const percent = Math.floor(100 * doneBytes / totalBytes);
      if (percent === shown) return;
      shown = percent;
      const bar = "#".repeat(Math.round(percent / 4)).padEnd(25, ".");
      const text = `download  [${bar}] ${String(percent).padStart(3)}%  ${file}`;
      if (Deno.stdout.isTerminal()) {
        Deno.stdout.writeSync(new TextEncoder().encode(`\r${text}\x1b[K`));
      } else if (percent % 10 === 0) console.log(text);
    },
  });
  if (Deno.stdout.isTerminal()) console.log("");
  log(`download  ${fetched.title} is in ${fetched.folder}, checksums match`);
  return fetched.spec;
}
