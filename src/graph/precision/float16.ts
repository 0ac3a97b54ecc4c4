/** IEEE 754 float16, by hand: `Float16Array` is too young to count on. */

const bits = new Uint32Array(1);
const number = new Float32Array(bits.buffer);

/** The float16 value nearest to a number, ties to even, as its 16 bits; beyond 65,520 an infinity. */
export function float16Bits(value: number): number {
  number[0] = value;
  const word = bits[0];
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00; // not a number
  if (magnitude >= 0x477f_f000) return sign | 0x7c00; // 65,520 and beyond
  if (magnitude < 0x3880_0000) { // below 2^-14: multiples of 2^-24, exact as a float32 times 2^24
    number[0] = Math.abs(value) * 2 ** 24;
    return sign | roundHalfToEven(number[0]);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x3800_0000) >>> 13);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest > 0.5 ? floor + 1 : floor;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Rounds values to float16, as their 16 bits. */
export function toFloat16Bits(values: ArrayLike<number>): Uint16Array {
  return Uint16Array.from(values, float16Bits);
}
