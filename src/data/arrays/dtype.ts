/** The element types of NumPy's arrays, and how one element is read. */

/** A type of elements. */
export interface DType {
  /** As NumPy writes it, such as "<f4". */
  text: string;
  /** Boolean, unsigned, signed, float, text of UTF-32, text of bytes. */
  kind: "b" | "u" | "i" | "f" | "U" | "S";
  /** Bytes of one element. */
  sizeBytes: number;
  littleEndian: boolean;
}

/** What is read, for messages. */
export const KNOWN_DTYPES =
  "bool, int8 to int64, uint8 to uint64, float16, float32 and float64, of either byte order";

/** The longest text of an element: 1,024 characters. */
const MAX_TEXT = 1024;

/** Reads NumPy's description of a type; nothing for one that is not known. */
export function parseDType(text: string): DType | undefined {
  const match = /^([<>|=])([buifUS])([0-9]{1,5})$/.exec(text);
  if (!match) return undefined;
  const kind = match[2] as DType["kind"];
  const length = Number(match[3]);
  const littleEndian = match[1] !== ">";
  if (kind === "U" || kind === "S") {
    if (length < 1 || length > MAX_TEXT) return undefined;
    return { text, kind, sizeBytes: kind === "U" ? 4 * length : length, littleEndian };
  }
  const sizes = { b: [1], u: [1, 2, 4, 8], i: [1, 2, 4, 8], f: [2, 4, 8] }[kind];
  return sizes.includes(length) ? { text, kind, sizeBytes: length, littleEndian } : undefined;
}

/** A function that reads the number at a byte of a view. */
export function numberReader({ kind, sizeBytes, littleEndian }: DType) {
  const readers: Readonly<Record<string, (view: DataView, at: number) => number>> = {
    b1: (view, at) => view.getUint8(at) === 0 ? 0 : 1,
    u1: (view, at) => view.getUint8(at),
    u2: (view, at) => view.getUint16(at, littleEndian),
    u4: (view, at) => view.getUint32(at, littleEndian),
    u8: (view, at) => Number(view.getBigUint64(at, littleEndian)),
    i1: (view, at) => view.getInt8(at),
    i2: (view, at) => view.getInt16(at, littleEndian),
    i4: (view, at) => view.getInt32(at, littleEndian),
    i8: (view, at) => Number(view.getBigInt64(at, littleEndian)),
    f2: (view, at) => view.getFloat16(at, littleEndian),
    f4: (view, at) => view.getFloat32(at, littleEndian),
    f8: (view, at) => view.getFloat64(at, littleEndian),
  };
  return readers[`${kind}${sizeBytes}`];
}

/** The text of an element, without the zeros at its end. */
export function readTextElement(bytes: Uint8Array, { kind, littleEndian }: DType): string {
  if (kind === "S") return new TextDecoder("windows-1252").decode(bytes).replace(/\0+$/, "");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) {
    const point = view.getUint32(at, littleEndian);
    if (point === 0) break;
    text += point <= 0x10ffff ? String.fromCodePoint(point) : "\ufffd";
  }
  return text;
}
