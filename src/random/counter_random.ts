/**
 * The project's random numbers: a counter-based generator, so that a number depends on nothing but
 * its address `(seed, stream, step, index)`. Training needs no generator state in a checkpoint, a GPU
 * kernel computes the same bits in any order, and a sampler in a browser draws the latents that the
 * trainer would.
 *
 * The hash is pcg4d (M. Jarzynski and M. Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020).
 * Block `b` of a stream is `pcg4d(b, step, stream, seed)`, four 32-bit words; number `i` comes from
 * word `i % 4` of block `floor(i / 4)`:
 *
 * - uniform: the word's upper 24 bits times 2^-24, in [0, 1);
 * - normal: Box-Muller on words (0, 1) and (2, 3) of the block, `u1 = (upper 24 bits + 1) 2^-24` in
 *   (0, 1], `u2` as above; the even number is `sqrt(-2 ln u1) cos(2 pi u2)`, the odd one has the sine.
 *
 * The logarithm, sine and cosine are computed here from additions, multiplications and divisions of
 * doubles alone, because those are the same everywhere while `Math.log` and `Math.cos` are not; the
 * result is rounded to float32.
 */

/** Where a run of random numbers lives. All parts are unsigned 32-bit integers. */
export interface RandomAddress {
  /** The user's seed. */
  seed: number;
  /** Which of the independent streams of that seed; see {@linkcode STREAMS}. */
  stream: number;
  /** The training step, or 0. */
  step: number;
}

/**
 * Streams that are not drawn inside a training step. A step's own draws use streams 0, 1, 2, ... in
 * the order in which the step asks for them.
 */
export const STREAMS = {
  /** Latents of a sampler: `seed` is the image's seed. */
  latent: 0x1000_0000,
  /** Initial parameters; the step is the parameter's number. */
  initializer: 0x2000_0000,
  /** The shuffled order of the data; the step is the epoch. */
  shuffle: 0x3000_0000,
  /** Data that the project draws itself. */
  data: 0x4000_0000,
  /** Evaluation and parity checks. */
  evaluation: 0x6000_0000,
  /** What a generator draws besides its latent, when it is used: `seed` is the image's seed. */
  noise: 0x7000_0000,
  /** The modes of encoded numbers of a table; add the column's place. */
  tableModes: 0x8000_0000,
  /** The conditions that rows of a table are trained under; the step is the training step. */
  tableConditions: 0x9000_0000,
  /** How samples are mirrored and cropped; add the input's place. The step is the training step. */
  views: 0xa000_0000,
} as const;

const block = new Uint32Array(4);

/** Fills {@linkcode block} with pcg4d of four words. */
function hashBlock(a: number, b: number, c: number, d: number): void {
  let x = (Math.imul(a, 1664525) + 1013904223) | 0;
  let y = (Math.imul(b, 1664525) + 1013904223) | 0;
  let z = (Math.imul(c, 1664525) + 1013904223) | 0;
  let w = (Math.imul(d, 1664525) + 1013904223) | 0;
  x = (x + Math.imul(y, w)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  w = (w + Math.imul(y, z)) | 0;
  x ^= x >>> 16;
  y ^= y >>> 16;
  z ^= z >>> 16;
  w ^= w >>> 16;
  x = (x + Math.imul(y, w)) | 0;
  y = (y + Math.imul(z, x)) | 0;
  z = (z + Math.imul(x, y)) | 0;
  w = (w + Math.imul(y, z)) | 0;
  block[0] = x;
  block[1] = y;
  block[2] = z;
  block[3] = w;
}

/** The pcg4d hash of four 32-bit words: four well-mixed 32-bit words. */
export function pcg4d(
  a: number,
  b: number,
  c: number,
  d: number,
): [number, number, number, number] {
  hashBlock(a, b, c, d);
  return [block[0], block[1], block[2], block[3]];
}

/**
 * Fills `out` with 32-bit words of a stream.
 * @param firstIndex the number of the stream's first word that is wanted; a multiple of 4
 */
export function fillBits(
  out: Uint32Array,
  address: RandomAddress,
  firstIndex = 0,
): Uint32Array {
  const { seed, stream, step } = address;
  for (let i = 0; i < out.length; i += 4) {
    hashBlock((firstIndex + i) / 4, step, stream, seed);
    for (let k = 0; k < 4 && i + k < out.length; k++) out[i + k] = block[k];
  }
  return out;
}

const UNIT = 2 ** -24;

/**
 * Fills `out` with numbers of U[0, 1); see the top of this file.
 * @param firstIndex the number of the stream's first number that is wanted; a multiple of 4
 */
export function fillUniform(
  out: Float32Array,
  address: RandomAddress,
  firstIndex = 0,
): Float32Array {
  const { seed, stream, step } = address;
  for (let i = 0; i < out.length; i += 4) {
    hashBlock((firstIndex + i) / 4, step, stream, seed);
    for (let k = 0; k < 4 && i + k < out.length; k++) out[i + k] = (block[k] >>> 8) * UNIT;
  }
  return out;
}

/** Normal numbers are made in three passes over blocks of this many: short loops, whose steps a CPU overlaps. */
const CHUNK = 512;
const words = new Int32Array(CHUNK);
const radii = new Float64Array(CHUNK / 2);

/**
 * Fills `out` with numbers of N(0, 1); see the top of this file.
 * @param firstIndex the number of the stream's first number that is wanted; a multiple of 4
 */
export function fillNormal(
  out: Float32Array,
  address: RandomAddress,
  firstIndex = 0,
): Float32Array {
  const { seed, stream, step } = address;
  for (let from = 0; from < out.length; from += CHUNK) {
    const count = Math.min(CHUNK, out.length - from);
    for (let i = 0; i < count; i += 4) {
      hashBlock((firstIndex + from + i) / 4, step, stream, seed);
      words[i] = block[0] >>> 8;
      words[i + 1] = block[1] >>> 8;
      words[i + 2] = block[2] >>> 8;
      words[i + 3] = block[3] >>> 8;
    }
    for (let i = 0; i < count; i += 2) {
      radii[i >> 1] = Math.sqrt(-2 * portableLog(words[i] + 1));
    }
    writeDirections(out, from, count);
  }
  return out;
}

/** A random permutation of 0 ... count - 1 (Fisher-Yates on the stream's words). */
export function permutation(count: number, address: RandomAddress): Uint32Array {
  const bits = fillBits(new Uint32Array(count), address);
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(bits[i] * 2 ** -32 * (i + 1));
    const moved = order[i];
    order[i] = order[j];
    order[j] = moved;
  }
  return order;
}

/** What brings a mantissa of 25 bits into [1, 2) or, by its second item, into [1/2, 1). */
const MANTISSA_UNITS = Float64Array.of(UNIT, UNIT / 2);

/** The last mantissa of 25 bits that is not above sqrt(2). */
const SQRT2_BITS = Math.floor(Math.SQRT2 / UNIT);

/**
 * ln(units 2^-24) for 1 ... 2^24 units: the atanh series of a mantissa in [sqrt(1/2), sqrt(2)). Without
 * a branch, as nothing could foresee which way it goes.
 */
export function portableLog(units: number): number {
  const shift = Math.clz32(units) - 7;
  const bits = units << shift;
  const isLarge = (SQRT2_BITS - bits) >>> 31;
  const mantissa = bits * MANTISSA_UNITS[isLarge];
  const s = (mantissa - 1) / (mantissa + 1);
  const q = s * s;
  const sum =
    ((((((((((1 / 21) * q + 1 / 19) * q + 1 / 17) * q + 1 / 15) * q + 1 / 13) * q + 1 / 11) * q +
                    1 / 9) * q + 1 / 7) * q + 1 / 5) * q + 1 / 3) * q + 1 / 1;
  return (isLarge - shift) * Math.LN2 + 2 * s * sum;
}

/**
 * Writes `count` numbers from `out[from]` on: each pair of words is a radius and the upper 24 bits of a
 * turn. Cosine and sine are Taylor series on an eighth of a turn; in odd quarters they change places.
 */
function writeDirections(out: Float32Array, from: number, count: number): void {
  for (let i = 0; i < count; i += 2) {
    const turn = words[i + 1];
    const quarter = (turn + 0x20_0000) >>> 22; // the nearest quarter of a turn
    const angle = (turn - (quarter << 22)) * UNIT * (2 * Math.PI); // in [-pi/4, pi/4]
    const q = angle * angle;
    const cosine = 1 +
      q *
        (-1 / 2 +
          q *
            (1 / 24 + q * (-1 / 720 + q * (1 / 40320 + q * (-1 / 3628800 + q * (1 / 479001600))))));
    const sine = angle *
      (1 + q * (-1 / 6 + q * (1 / 120 + q * (-1 / 5040 + q * (1 / 362880 - q * (1 / 39916800))))));
    const radius = radii[i >> 1];
    const isOdd = quarter & 1;
    const at = from + i;
    // What would lie behind the end of `out` is not written.
    out[at + isOdd] = radius * (1 - (quarter & 2)) * cosine;
    out[at + 1 - isOdd] = radius * (1 - ((quarter + 1) & 2)) * sine;
  }
}
