/** A small reader of the protobuf wire format that never trusts a length. */

/** Why a file is refused, without its name. */
export class FileFault extends Error {}

/** Walks the fields of one protobuf message. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  #wire = 0;
  /** The number of the field that {@linkcode next} found. */
  field = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Bytes in the whole file. */
  get size(): number {
    return this.#bytes.length;
  }

  /** Goes to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.#wire = tag % 8;
    if (this.field < 1 || this.field > 0x1fff_ffff || ![0, 1, 2, 5].includes(this.#wire)) {
      throw this.#nonsense();
    }
    return true;
  }

  /** The field as an int64, exact up to 2^53. */
  integer(): number {
    if (this.#wire !== 0) throw this.#nonsense();
    const value = this.#varint();
    return value >= 2 ** 63 ? value - 2 ** 64 : value;
  }

  text(): string {
    const [start, end] = this.#block("a text");
    return new TextDecoder().decode(this.#bytes.subarray(start, end));
  }

  message(what: string): Reader {
    const [start, end] = this.#block(what);
    return new Reader(this.#bytes, start, end);
  }

  skip(): void {
    if (this.#wire === 0) this.#varint();
    else if (this.#wire === 2) this.#block("a field");
    else this.#advance(this.#wire === 1 ? 8 : 4, "a number");
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#advance(1, "a number")];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw this.#nonsense();
  }

  #block(what: string): [number, number] {
    if (this.#wire !== 2) throw this.#nonsense();
    const length = this.#varint();
    const start = this.#advance(length, what);
    return [start, start + length];
  }

  /** Moves over `count` bytes and says where they start. */
  #advance(count: number, what: string): number {
    const start = this.#at;
    if (start + count > this.#bytes.length) {
      throw new FileFault(
        `it is cut off or not an ONNX model: ${what} at byte ${start} needs ${count} bytes, and ` +
          `${this.#bytes.length - start} of the file's ${this.#bytes.length} are left`,
      );
    }
    if (start + count > this.#end) throw this.#nonsense();
    this.#at += count;
    return start;
  }

  #nonsense(): FileFault {
    return new FileFault(
      `it is not an ONNX model, or damaged: what stands at byte ${this.#at} of ` +
        `${this.#bytes.length} has no meaning there`,
    );
  }
}
