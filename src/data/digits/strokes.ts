/** From a glyph's path to the polylines of one person's hand: jitter, a bend, then the pose. */
import { GLYPHS } from "./glyphs.ts";

/** A stroke as a polyline: x and y in turn. */
export type Polyline = Float64Array;

/** One command's points, flat; one point after M, one for L, three for C. */
interface Stroke {
  start: [number, number];
  /** Each two numbers for a line, or six for a cubic Bezier. */
  pieces: number[][];
}

/** How many straight pieces a Bezier is drawn with. */
const CURVE_PIECES = 9;

/** Every glyph of {@linkcode GLYPHS}, parsed. */
const STROKES: readonly (readonly Stroke[][])[] = GLYPHS.map((ways) => ways.map(parsePath));

/** How many ways there are to write a digit. */
export function countWays(digit: number): number {
  return STROKES[digit].length;
}

function parsePath(path: string): Stroke[] {
  const strokes: Stroke[] = [];
  for (const [, command, numbers] of path.matchAll(/([MLC])([-0-9. ]+)/g)) {
    const points = numbers.trim().split(/\s+/).map(Number);
    if (command === "M") strokes.push({ start: [points[0], points[1]], pieces: [] });
    else strokes[strokes.length - 1].pieces.push(points);
  }
  return strokes;
}

/**
 * The polylines of one way to write a digit, in the glyph's box moved to [-0.5, 0.5]^2.
 * @param shift gives each coordinate's small displacement
 */
export function tracePath(
  digit: number,
  { way, shift }: { way: number; shift: () => number },
): Polyline[] {
  return STROKES[digit][way].map(({ start, pieces }) => {
    const line: number[] = [];
    let x = start[0] / 100 - 0.5 + shift();
    let y = start[1] / 100 - 0.5 + shift();
    line.push(x, y);
    for (const piece of pieces) {
      const points = piece.map((coordinate) => coordinate / 100 - 0.5 + shift());
      if (points.length === 2) line.push(...points);
      else appendCurve(line, [x, y, ...points]);
      [x, y] = points.slice(-2);
    }
    return Float64Array.from(line);
  });
}

/** Appends points of a cubic Bezier, its start left out. */
function appendCurve(line: number[], [x0, y0, x1, y1, x2, y2, x3, y3]: number[]): void {
  for (let i = 1; i <= CURVE_PIECES; i++) {
    const t = i / CURVE_PIECES;
    const s = 1 - t;
    const [a, b, c, d] = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t];
    line.push(a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3);
  }
}

/** Where and how a digit stands. Lengths are fractions of the digit's height. */
export interface Pose {
  /** Height as a fraction of the image's side. */
  height: number;
  /** Width of the glyph's box, likewise. */
  width: number;
  /** Shift of x for one height upwards. */
  slant: number;
  /** tan(angle / 2) of a clockwise turn. */
  halfTurn: number;
  /** Quadratic bend of the verticals. */
  bendX: number;
  /** Quadratic bend of the horizontals. */
  bendY: number;
}

/** Applies a pose in place; the result is in fractions of the image's side around its middle. */
export function applyPose(lines: readonly Polyline[], pose: Pose): void {
  const { height, width, slant, halfTurn, bendX, bendY } = pose;
  // cos and sin by additions and divisions alone: the same bits on every machine
  const cosine = (1 - halfTurn * halfTurn) / (1 + halfTurn * halfTurn);
  const sine = 2 * halfTurn / (1 + halfTurn * halfTurn);
  for (const line of lines) {
    for (let i = 0; i < line.length; i += 2) {
      const x = line[i];
      const y = line[i + 1];
      const bentX = (x + bendX * y * y) * width - slant * y * height;
      const bentY = (y + bendY * x * x) * height;
      line[i] = cosine * bentX - sine * bentY;
      line[i + 1] = sine * bentX + cosine * bentY;
    }
  }
}
