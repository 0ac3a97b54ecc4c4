/** Values on their way into ONNX Runtime and out of it, in every element type that files use. */
import type { OrtModule, OrtTensor } from "../ort/types.ts";
import type { ElementType } from "./assumptions.ts";

/** Makes a tensor of float values or whole numbers in the type that an input takes. */
export function makeTensor(
  ort: OrtModule,
  type: ElementType,
  values: Float32Array | Int32Array,
  shape: readonly number[],
): OrtTensor {
  switch (type) {
    case "float32":
      return new ort.Tensor("float32", Float32Array.from(values), shape);
    case "float16":
      return new ort.Tensor("float16", Uint16Array.from(values, toHalf), shape);
    case "float64":
      return new ort.Tensor("float64", Float64Array.from(values), shape);
    case "int64":
      return new ort.Tensor(
        "int64",
        BigInt64Array.from(values, (value) => BigInt(Math.round(value))),
        shape,
      );
    case "int32":
      return new ort.Tensor("int32", Int32Array.from(values), shape);
    case "uint8":
      return new ort.Tensor("uint8", Uint8Array.from(values), shape);
    case "bool":
      return new ort.Tensor("bool", Uint8Array.from(values, (value) => value === 0 ? 0 : 1), shape);
  }
}

/** The values of an output as bytes where it has bytes, else as float32. */
export function readTensor(tensor: OrtTensor): Float32Array | Uint8Array {
  const { type, data } = tensor;
  if (data instanceof Float32Array || data instanceof Uint8Array) return data;
  if (type === "float16" && data instanceof Uint16Array) return Float32Array.from(data, fromHalf);
  return Float32Array.from(data as unknown as ArrayLike<number>, Number);
}

const scratch = new DataView(new ArrayBuffer(4));

/** The bits of a value in half precision, rounded to nearest, ties to even. */
export function toHalf(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = bits >>> 16 & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to infinity
  if (magnitude < 0x38800000) { // below 2^-14: steps of 2^-24
    const steps = Math.abs(value) * 2 ** 24;
    const floor = Math.floor(steps), rest = steps - floor;
    const isUp = rest > 0.5 || (rest === 0.5 && floor % 2 === 1);
    return sign | (isUp ? floor + 1 : floor);
  }
  const rounded = magnitude + 0xfff + (magnitude >>> 13 & 1);
  return sign | (rounded - 0x38000000) >>> 13;
}

/** The value of bits in half precision. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = bits >>> 10 & 31, fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
