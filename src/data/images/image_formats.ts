/**
 * What image files are called and how they begin: by names alone, `a.jfif`, `c.jpe` and a JPEG called
 * `000001` would be left out.
 */

/** A format of images, as its first bytes show. */
export type ImageFormat = keyof typeof EXTENSIONS;

/** The names that files of each format have. */
const EXTENSIONS = {
  jpeg: ["jpg", "jpeg", "jpe", "jfif", "jif", "jfi", "pjpeg", "pjp"],
  png: ["png", "apng"],
  webp: ["webp"],
  gif: ["gif"],
  tiff: ["tif", "tiff"],
  avif: ["avif", "avifs"],
  heic: ["heic", "heif", "hif"],
  bmp: ["bmp", "dib"],
  jp2: ["jp2", "j2k", "jpf", "jpx"],
  jxl: ["jxl"],
  ico: ["ico", "cur"],
  psd: ["psd"],
  svg: ["svg"],
  netpbm: ["pbm", "pgm", "ppm", "pnm", "pam"],
  tga: ["tga"],
  exr: ["exr"],
  dicom: ["dcm"],
  raw: ["dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf"],
} as const;

const FORMAT_OF = new Map<string, ImageFormat>(
  Object.entries(EXTENSIONS).flatMap(([format, extensions]) =>
    extensions.map((extension): [string, ImageFormat] => [extension, format as ImageFormat])
  ),
);

/** How many first bytes {@linkcode sniffImageFormat} looks at. */
export const SNIFFED_BYTES = 32;

/** The format that a file's name claims. */
export function imageFormatOfName(path: string): ImageFormat | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot < 0 ? undefined : FORMAT_OF.get(name.slice(dot + 1).toLowerCase());
}

/** The format that a file's first bytes show, of those that can be told for certain. */
export function sniffImageFormat(bytes: Uint8Array): ImageFormat | undefined {
  const starts = (text: string, at = 0) =>
    Array.from(text).every((character, i) => bytes[at + i] === character.charCodeAt(0));
  if (starts("\xff\xd8\xff")) return "jpeg";
  if (starts("\x89PNG\r\n\x1a\n")) return "png";
  if (starts("GIF87a") || starts("GIF89a")) return "gif";
  if (starts("RIFF") && starts("WEBP", 8)) return "webp";
  if (starts("II*\0") || starts("MM\0*")) return "tiff";
  if (starts("ftyp", 4)) {
    if (starts("avif", 8) || starts("avis", 8)) return "avif";
    if (["heic", "heix", "hevc", "mif1", "msf1"].some((brand) => starts(brand, 8))) return "heic";
  }
  if (starts("\0\0\0\x0cjP  ")) return "jp2";
  if (starts("\0\0\0\x0cJXL ")) return "jxl";
  if (starts("8BPS")) return "psd";
  if (starts("BM") && bytes.length >= 26 && bytes[15] === 0 && bytes[17] === 0) return "bmp";
  return undefined;
}
