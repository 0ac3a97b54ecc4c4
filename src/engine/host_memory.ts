/** How much memory the machine has left, and how messages name amounts of it. */

/** The machine's free memory in bytes, which Deno reports where --allow-sys permits. */
export function freeHostBytes(): number | undefined {
  const permission = globalThis.Deno?.permissions.querySync({
    name: "sys",
    kind: "systemMemoryInfo",
  });
  return permission?.state === "granted" ? Deno.systemMemoryInfo().available : undefined;
}

/** `12.3 MB (12345678 bytes)`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB (${bytes} bytes)`;
}
