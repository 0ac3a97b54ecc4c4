import { checkProperty } from "../properties.ts";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { float16Bits, toFloat16Bits } from "../../src/graph/precision/float16.ts";

/** V8's own conversion. */
function nativeBits(value: number): number {
  return new Uint16Array(Float16Array.of(value).buffer)[0];
}

Deno.test("float16Bits() rounds as V8's Float16Array does", () => {
  const special = [0, -0, 1, -1, 0.1, 65504, 65519.99, 65520, 1e6, -Infinity, Infinity, NaN];
  const small = [2 ** -14, 2 ** -24, 2 ** -25, 1.5 * 2 ** -24, 2.5 * 2 ** -24, 3 * 2 ** -25, 6e-5];
  for (const value of [...special, ...small, ...small.map((item) => -item)]) {
    assertEquals(float16Bits(value), nativeBits(value), `${value}`);
  }
  checkProperty(fc.property(fc.float(), (value) => float16Bits(value) === nativeBits(value)));
  const inRange = fc.float({ min: Math.fround(-2), max: Math.fround(2), noNaN: true });
  checkProperty(fc.property(inRange, (value) => float16Bits(value) === nativeBits(value)), {
    numRuns: 2000,
  });
});

Deno.test("float16Bits() gives every float16 value back", () => {
  const all = Uint16Array.from({ length: 65536 }, (_, index) => index);
  const values = Float32Array.from(new Float16Array(all.buffer));
  const back = toFloat16Bits(values);
  all.forEach((bits, index) => {
    if (!Number.isNaN(values[index])) assertEquals(back[index], bits);
  });
});
