/** A grid of images with names above its columns and beside its rows. */
import { grid } from "../raster/grid.ts";
import type { RasterImage } from "../raster/raster.ts";
import { enlarge, gridScale } from "./image_grid.ts";
import { rasterizeSvg } from "./rasterize.ts";
import { element, escapeXml } from "./svg.ts";
import { COLORS, FONT, FONT_FAMILY, textWidth } from "./theme.ts";

/** How {@linkcode labeledGrid} lays images out. */
export interface LabeledGridOptions {
  /** Images a row. */
  columns: number;
  /** The name of each column; without them there are none. */
  columnNames?: readonly string[];
  /** The name of each row; without them there are none. */
  rowNames?: readonly string[];
  /** Whole factor of enlargement; by default as in `imageGrid`. */
  scale?: number;
}

/** Pixels between names and images. */
const GAP = 6;

/** Longer names are cut: a row of them must leave room for the images. */
const MAX_NAME_WIDTH = 180;

/** Characters that the bundled font has; others would come out as nothing. */
const LATIN = /^[\u0020-\u024f\u2010-\u2026]*$/;

/**
 * Draws images of one size as a PNG, each pixel as it is (enlarged by a whole factor), with names in the
 * margins; names that are wider than a column stand upright. Without names it is the grid alone.
 * @throws {RangeError} if there is no image, images differ in size, or there are not as many names as
 * columns or rows
 */
export async function labeledGrid(
  images: readonly RasterImage[],
  { columns, columnNames = [], rowNames = [], scale }: LabeledGridOptions,
): Promise<Uint8Array> {
  const rows = Math.ceil(images.length / columns);
  checkCount(columnNames, columns, "columns");
  checkCount(rowNames, rows, "rows");
  const plain = grid(images, { columns, padding: 1 });
  const factor = scale ?? gridScale(plain);
  const sheet = enlarge(plain, factor);
  if (columnNames.length + rowNames.length === 0) return await sheet.toPng();
  const cellWidth = (images[0].width + 1) * factor;
  const cellHeight = (images[0].height + 1) * factor;
  const [above, beside] = [columnNames.map(shortened), rowNames.map(shortened)];
  const widths = above.map((name) => textWidth(name, FONT.label));
  const upright = widths.some((width) => width > cellWidth - 4);
  const top = above.length === 0
    ? 0
    : Math.ceil((upright ? Math.max(...widths) : FONT.label) + 2 * GAP);
  const left = beside.length === 0
    ? 0
    : Math.ceil(Math.max(...beside.map((name) => textWidth(name, FONT.label))) + 2 * GAP);
  const [width, height] = [left + sheet.width, top + sheet.height];
  const png = (await sheet.toPng()).toBase64();
  const svg = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      "font-family": FONT_FAMILY,
      "font-size": FONT.label,
      fill: COLORS.text,
    },
    element("rect", { width, height, fill: COLORS.background }),
    element("image", {
      x: left,
      y: top,
      width: sheet.width,
      height: sheet.height,
      href: `data:image/png;base64,${png}`,
    }),
    ...above.map((name, column) => {
      const x = left + (column + 0.5) * cellWidth;
      const y = top - GAP;
      return element(
        "text",
        upright
          ? { transform: `translate(${x + FONT.label / 3} ${y}) rotate(-90)` }
          : { x, y, "text-anchor": "middle" },
        escapeXml(name),
      );
    }),
    ...beside.map((name, row) =>
      element("text", {
        x: left - GAP,
        y: top + (row + 0.5) * cellHeight + FONT.label / 3,
        "text-anchor": "end",
      }, escapeXml(name))
    ),
  );
  return await rasterizeSvg(svg, { scale: 1 });
}

function checkCount(names: readonly string[], count: number, what: string): void {
  if (names.length === 0 || names.length === count) return;
  throw new RangeError(`Cannot name ${count} ${what} of a grid: ${names.length} names are given`);
}

/** A name that fits into the margin, in letters that the font has. */
function shortened(name: string): string {
  let text = LATIN.test(name) ? name : name.replace(/[^\u0020-\u024f\u2010-\u2026]/g, "?");
  if (textWidth(text, FONT.label) <= MAX_NAME_WIDTH) return text;
  while (textWidth(`${text}…`, FONT.label) > MAX_NAME_WIDTH) text = text.slice(0, -1);
  return `${text}…`;
}
