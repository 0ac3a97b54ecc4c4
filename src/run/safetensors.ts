/**
 * Tensors in a file, as safetensors (huggingface.co/docs/safetensors): eight bytes with the header's
 * length, a JSON header with each tensor's type, shape and offsets, then the values, little-endian. Any
 * Python script can read a checkpoint with it.
 */
import { elementCount } from "../bytes.ts";
import { UserError } from "../errors.ts";
import type { HostTensor, HostTensors } from "../tensor/types.ts";

const DTYPES = { float32: "F32", int32: "I32" } as const;

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/**
 * Writes tensors; the same tensors in the same order give the same bytes.
 * @throws {TypeError} when a name means something else to the format or to JavaScript
 */
export function encodeSafetensors(
  tensors: HostTensors,
  metadata: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    if (!isTensorName(name)) {
      throw new TypeError(`A tensor cannot be named ${JSON.stringify(name)}`);
    }
    header[name] = { dtype: DTYPES[dtype], shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  let json = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  json = padded;
  const bytes = new Uint8Array(8 + json.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  let offset = 8 + json.length;
  for (const { data } of Object.values(tensors)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/**
 * Reads tensors.
 * @param origin names the file in messages
 * @throws {UserError} when the file is truncated or is not safetensors
 */
export function decodeSafetensors(bytes: Uint8Array, origin: string): HostTensors {
  const fail = (fault: string) => new UserError(`Cannot read ${origin}: ${fault}`);
  if (bytes.length < 8) throw fail(`a header needs 8 bytes, and the file has ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = view.getBigUint64(0, true);
  if (headerLength > BigInt(bytes.length - 8)) {
    throw fail(`its header claims ${headerLength} bytes, and the file has ${bytes.length}`);
  }
  const start = 8 + Number(headerLength);
  let header: Record<string, Entry>;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start)));
  } catch {
    throw fail("its header is not JSON");
  }
  if (typeof header !== "object" || header === null) throw fail("its header is not a JSON object");
  const tensors: HostTensors = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    if (!isTensorName(name)) throw fail(`${JSON.stringify(name)} is no name of a tensor`);
    tensors[name] = readEntry(bytes, start, name, entry, fail);
  }
  return tensors;
}

/** `__proto__` would set an object's prototype, and `__metadata__` is the format's own. */
function isTensorName(name: string): boolean {
  return name !== "" && name !== "__proto__" && name !== "__metadata__";
}

function readEntry(
  bytes: Uint8Array,
  start: number,
  name: string,
  entry: Entry,
  fail: (fault: string) => UserError,
): HostTensor {
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const { dtype, shape, data_offsets: offsets } = entry ?? {};
  const kind = dtype === "F32" ? "float32" : dtype === "I32" ? "int32" : undefined;
  if (!kind) throw fail(`tensor ${name} has type ${dtype}, and only F32 and I32 are known`);
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw fail(`tensor ${name} has no valid shape`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw fail(`tensor ${name} has no valid data_offsets`);
  }
  const [begin, end] = offsets;
  const sizeBytes = 4 * elementCount(shape);
  if (end - begin !== sizeBytes) {
    throw fail(
      `tensor ${name} of shape [${shape}] needs ${sizeBytes} bytes, and has ${end - begin}`,
    );
  }
  if (start + end > bytes.length) {
    throw fail(`tensor ${name} ends at byte ${start + end}, and the file has ${bytes.length}`);
  }
  const copy = bytes.slice(start + begin, start + end).buffer;
  return kind === "float32"
    ? { shape, dtype: kind, data: new Float32Array(copy) }
    : { shape, dtype: kind, data: new Int32Array(copy) };
}
