/** `--cache`: where decoded data are kept. */
import type { ParsedCommand } from "../../cli/command.ts";

/** The folder that was asked for; null for none, undefined for the default. */
export function readCacheFolder(command: ParsedCommand): string | null | undefined {
  const given = command.text("cache");
  return given === "none" ? null : given?.replace(/(?<=.)\/+$/, "");
}
