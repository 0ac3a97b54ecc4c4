/** How much memory the machine has left, and how messages name amounts of it. */
import { formatBytes } from "../text.ts";

/** The machine's free memory in bytes, which Deno reports where --allow-sys permits. */
export function freeHostBytes(): number | undefined {
  const permission = globalThis.Deno?.permissions.querySync({
    name: "sys",
    kind: "systemMemoryInfo",
  });
  return permission?.state === "granted" ? Deno.systemMemoryInfo().available : undefined;
}

/** `12.3 MB (12345678 bytes)`, `32 bytes`: amounts that are compared must differ where they do. */
export function memoryText(bytes: number): string {
  return formatBytes(bytes) + (bytes < 1000 ? "" : ` (${bytes} bytes)`);
}
