import { checkProperty } from "../properties.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { UserError } from "../../src/errors.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import { decodeSafetensors, encodeSafetensors } from "../../src/run/safetensors.ts";
import { damagedBytes, fuzz } from "../fuzz.ts";

const tensors: fc.Arbitrary<HostTensors> = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 12 }).filter((name) => !name.startsWith("__")),
  fc.array(fc.nat(4), { maxLength: 3 }).chain((shape) => {
    const length = shape.reduce((a, b) => a * b, 1);
    return fc.oneof(
      fc.float32Array({ minLength: length, maxLength: length }).map((data) => ({
        shape,
        dtype: "float32" as const,
        data,
      })),
      fc.int32Array({ minLength: length, maxLength: length }).map((data) => ({
        shape,
        dtype: "int32" as const,
        data,
      })),
    );
  }),
  { maxKeys: 5, noNullPrototype: true },
);

Deno.test("decodeSafetensors() gives back what encodeSafetensors() wrote", () => {
  checkProperty(fc.property(tensors, (given) => {
    assertEquals(decodeSafetensors(encodeSafetensors(given), "x"), given);
  }));
});

Deno.test("decodeSafetensors() reads a mutated file or names its fault", async () => {
  const bytes = encodeSafetensors({
    "a/b": { shape: [2, 3], dtype: "float32", data: new Float32Array(6).fill(1) },
  });
  const outcome = await fuzz(damagedBytes([bytes]), (mutated) => {
    for (const { shape, data } of Object.values(decodeSafetensors(mutated, "state"))) {
      assertEquals(data.length, shape.reduce((product, side) => product * side, 1));
    }
  }, { seed: 1 });
  assert(outcome.read > 50 && outcome.refused > 300, JSON.stringify(outcome));
});

Deno.test("decodeSafetensors() says what is wrong when the file is cut off", () => {
  const bytes = encodeSafetensors({
    w: { shape: [4], dtype: "float32", data: Float32Array.of(1, 2, 3, 4) },
  });
  assertThrows(
    () => decodeSafetensors(bytes.subarray(0, bytes.length - 1), "state.safetensors"),
    UserError,
    `Cannot read state.safetensors: tensor w ends at byte ${bytes.length}, and the file has ${
      bytes.length - 1
    }`,
  );
  assertThrows(
    () => decodeSafetensors(new Uint8Array(3), "s"),
    UserError,
    "a header needs 8 bytes, and the file has 3",
  );
});

Deno.test("decodeSafetensors() refuses names that mean something else", () => {
  for (const name of ["__proto__", ""]) {
    const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
    const header = new TextEncoder().encode(`{${JSON.stringify(name)}:${entry}}`);
    const bytes = new Uint8Array(8 + header.length + 4);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(header, 8);
    assertThrows(
      () => decodeSafetensors(bytes, "s"),
      UserError,
      `Cannot read s: ${JSON.stringify(name)} is no name of a tensor`,
    );
  }
  const tensor = { shape: [1], dtype: "float32" as const, data: Float32Array.of(1) };
  const odd = { constructor: tensor, toString: tensor };
  assertEquals(decodeSafetensors(encodeSafetensors(odd), "s"), odd);
  assertThrows(() => encodeSafetensors({ __metadata__: tensor }), TypeError, "__metadata__");
});
