/** WebAssembly memory that does not grow, and the class that comes back when all calls are over. */
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { withRoomyWasmMemory } from "../../src/ort/wasm_memory.ts";

const Original = WebAssembly.Memory;

/** The pages that a memory starts with. */
function pages(descriptor: WebAssembly.MemoryDescriptor): number {
  return new WebAssembly.Memory(descriptor).buffer.byteLength / 65536;
}

const SHARED = { initial: 1, maximum: 65536, shared: true };

Deno.test("withRoomyWasmMemory() makes shared memories that need not grow, and no others", async () => {
  await withRoomyWasmMemory(() => {
    assertEquals(pages(SHARED), 32768);
    assertEquals(pages({ initial: 1, maximum: 8, shared: true }), 8);
    assertEquals(pages({ initial: 1, maximum: 65536 }), 1);
    assertEquals(pages({ initial: 0, maximum: 0, shared: true }), 0);
    return Promise.resolve();
  });
  assertEquals(pages(SHARED), 1);
  assertStrictEquals(WebAssembly.Memory, Original);
});

Deno.test("withRoomyWasmMemory() puts the class back when overlapping calls are all over, in any order", async () => {
  for (const firstToEnd of [0, 1]) {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const calls = gates.map(({ promise }) => withRoomyWasmMemory(() => promise));
    gates[firstToEnd].resolve();
    await calls[firstToEnd];
    assertEquals(pages(SHARED), 32768, "the other call still needs room");
    gates[1 - firstToEnd].resolve();
    await calls[1 - firstToEnd];
    assertStrictEquals(WebAssembly.Memory, Original);
  }
});

Deno.test("withRoomyWasmMemory() puts the class back when a call fails beside another", async () => {
  const gate = Promise.withResolvers<void>();
  const slow = withRoomyWasmMemory(() => gate.promise);
  await assertRejects(
    () => withRoomyWasmMemory(() => Promise.reject(new Error("no"))),
    Error,
    "no",
  );
  gate.resolve();
  await slow;
  assertStrictEquals(WebAssembly.Memory, Original);
});

Deno.test("withRoomyWasmMemory() leaves a class that somebody else has put in place meanwhile", async () => {
  try {
    const Theirs = await withRoomyWasmMemory(() => {
      const Theirs = class extends WebAssembly.Memory {};
      WebAssembly.Memory = Theirs;
      return Promise.resolve(Theirs);
    });
    assertStrictEquals(WebAssembly.Memory, Theirs);
    assertEquals(pages(SHARED), 1, "ours, which theirs extends, adds no room any more");
  } finally {
    WebAssembly.Memory = Original;
  }
});
