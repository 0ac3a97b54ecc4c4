/**
 * Handwritten-looking digits that the project draws itself, so that a first run needs no download:
 * white on black, each with its own way of writing, pose, bend, jitter and pen.
 */
import { DEFAULTS } from "../../config/defaults.ts";
import { fillNormal, fillUniform, STREAMS } from "../../random/counter_random.ts";
import { type ImageChannels, type PixelImage, toChannels } from "../images/raster.ts";
import { setSource } from "../pixel_set.ts";
import { counted, type DataSource } from "../source.ts";
import { renderLines } from "./render.ts";
import { applyPose, countWays, type Polyline, tracePath } from "./strokes.ts";

/** What to draw. */
export interface DigitsOptions {
  /** How many images. Default 10,000. */
  count?: number;
  /** Side in pixels. Default 28. */
  size?: number;
  /** 1 gray (default), 3 gray as RGB, 4 gray as opaque RGBA. */
  channels?: ImageChannels;
  /** Default 0. */
  seed?: number;
}

/** The most coordinates of a glyph, each of which gets its jitter. */
const MAX_COORDINATES = 64;

/** Draws a data set of digits. Image `i` shows the digit `i % 10` and depends on seed and `i` alone. */
export function drawDigits(options: DigitsOptions = {}): DataSource {
  const { count = DEFAULTS.data.digitCount, size = DEFAULTS.data.digitSize } = options;
  const { seed = DEFAULTS.data.seed, channels = 1 } = options;
  const pixels = new Uint8Array(count * size * size);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = i % 10;
    drawDigit(pixels.subarray(i * size * size, (i + 1) * size * size), labels[i], {
      seed,
      index: i,
      size,
    });
  }
  const strip: PixelImage = { width: size, height: count * size, channels: 1, data: pixels };
  return setSource(toChannels(strip, channels).data, {
    name: "digits",
    origin: `${counted(count)} synthetic digits (seed ${seed})`,
    shape: [size, size, channels],
    labels,
    classNames: Array.from({ length: 10 }, (_, digit) => String(digit)),
  });
}

/** How a digit is written, where that is not left to chance. */
export interface DigitStyle {
  /** From 0, the thinnest pen, to 1. */
  thickness?: number;
  /** Shift of x for one height upwards; 0 is upright. */
  slant?: number;
}

/** Which digit of which series is drawn. */
export interface DigitOptions {
  seed: number;
  index: number;
  /** Side in pixels. */
  size: number;
  style?: DigitStyle;
}

/**
 * Draws one digit.
 * @param out `[size, size]`, overwritten
 */
export function drawDigit(
  out: Uint8Array,
  digit: number,
  { seed, index, size, style = {} }: DigitOptions,
): void {
  const { data: stream } = STREAMS;
  const uniforms = fillUniform(new Float32Array(12), { seed, stream, step: 2 * index });
  const normals = fillNormal(new Float32Array(MAX_COORDINATES), {
    seed,
    stream,
    step: 2 * index + 1,
  });
  let used = 0;
  const between = (low: number, high: number) => low + (high - low) * uniforms[used++];

  const way = Math.floor(between(0, countWays(digit)));
  let jittered = 0;
  const lines = tracePath(digit, { way, shift: () => 0.014 * normals[jittered++] });
  const pose = {
    height: between(0.62, 0.76),
    width: between(0.4, 0.68),
    slant: between(-0.08, 0.36),
    halfTurn: between(-0.07, 0.07),
    bendX: between(-0.18, 0.18),
    bendY: between(-0.12, 0.12),
  };
  applyPose(lines, { ...pose, slant: style.slant ?? pose.slant });
  const drawnThickness = between(0, 1);
  const thickness = style.thickness ?? drawnThickness;
  const pen = {
    size,
    radius: size * (0.029 + 0.008 * thickness + 0.03 * thickness * thickness),
    softness: size * between(0.036, 0.06),
  };
  const drift = size * 0.05;
  place(lines, { pen, shiftX: between(-drift, drift), shiftY: between(-drift, drift) });
  renderLines(out, lines, pen);
}

/** Moves lines to the middle of the image and the shift, and shrinks what would leave it. */
function place(
  lines: readonly Polyline[],
  { pen, shiftX, shiftY }: {
    pen: { size: number; radius: number; softness: number };
    shiftX: number;
    shiftY: number;
  },
): void {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const line of lines) {
    for (let i = 0; i < line.length; i += 2) {
      left = Math.min(left, line[i]);
      right = Math.max(right, line[i]);
      top = Math.min(top, line[i + 1]);
      bottom = Math.max(bottom, line[i + 1]);
    }
  }
  const margin = 1 + pen.radius + pen.softness / 2;
  const room = pen.size - 2 * margin;
  const scale = Math.min(pen.size, room / Math.max(right - left, bottom - top));
  const slackX = (room - (right - left) * scale) / 2;
  const slackY = (room - (bottom - top) * scale) / 2;
  const middleX = pen.size / 2 + Math.max(-slackX, Math.min(slackX, shiftX));
  const middleY = pen.size / 2 + Math.max(-slackY, Math.min(slackY, shiftY));
  for (const line of lines) {
    for (let i = 0; i < line.length; i += 2) {
      line[i] = (line[i] - (left + right) / 2) * scale + middleX;
      line[i + 1] = (line[i + 1] - (top + bottom) / 2) * scale + middleY;
    }
  }
}
