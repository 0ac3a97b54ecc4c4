/**
 * The paths of a .zip's entries, whose encoding has to be guessed in older archives: UTF-8 where a flag
 * says so, Info-ZIP's Unicode Path field (0x7075), or else code page 437.
 * Format: PKWARE, ".ZIP File Format Specification", 4.4.4 (bit 11), 4.6.9 and appendix D.
 */
import { crc32 } from "node:zlib";

/** The characters of code page 437 from 128 on. */
const CP437_UPPER = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
  "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

const UNICODE_PATH = 0x7075;

/**
 * An entry's path as its packer meant it. Names that claim nothing are UTF-8 where they are valid as
 * that, because macOS and older Unix tools write it without the flag.
 * @param name the bytes of the name
 * @param extra the entry's extra fields
 */
export function decodeZipName(name: Uint8Array, extra: DataView): string {
  return unicodePath(name, extra) ?? asUtf8(name) ?? asCp437(name);
}

/** Info-ZIP's field, where it belongs to this name rather than to one that was changed later. */
function unicodePath(name: Uint8Array, extra: DataView): string | undefined {
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const end = at + 4 + extra.getUint16(at + 2, true);
    if (end > extra.byteLength) return undefined;
    const isPath = extra.getUint16(at, true) === UNICODE_PATH && end - at > 9;
    if (isPath && extra.getUint8(at + 4) === 1 && extra.getUint32(at + 5, true) === crc32(name)) {
      return asUtf8(new Uint8Array(extra.buffer, extra.byteOffset + at + 9, end - at - 9));
    }
    at = end;
  }
  return undefined;
}

function asUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function asCp437(bytes: Uint8Array): string {
  return Array.from(
    bytes,
    (byte) => byte < 128 ? String.fromCharCode(byte) : CP437_UPPER[byte - 128],
  ).join("");
}
