/** Reads the records of a TensorBoard event file. */
import { maskedCrc32c } from "../../src/run/tensorboard/records.ts";

/**
 * The data of each record, up to the first one that is cut off.
 * @throws {RangeError} when a checksum does not fit
 */
export function decodeRecords(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Uint8Array[] = [];
  let at = 0;
  while (at + 16 <= bytes.length) {
    const length = Number(view.getBigUint64(at, true));
    const isLengthRight = view.getUint32(at + 8, true) === maskedCrc32c(bytes.subarray(at, at + 8));
    if (isLengthRight && at + 16 + length > bytes.length) break;
    const data = bytes.subarray(at + 12, at + 12 + length);
    if (!isLengthRight || view.getUint32(at + 12 + length, true) !== maskedCrc32c(data)) {
      throw new RangeError(`Cannot read the record at byte ${at}: its checksum does not fit`);
    }
    records.push(data);
    at += 16 + length;
  }
  return records;
}
