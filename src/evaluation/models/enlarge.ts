/**
 * Images enlarged by fixed filters, which trained enlargements are measured beside: Lanczos-3 and Keys' bicubic
 * filter with a = -0.5, pixel centers aligned, weights that sum to 1 at the border.
 */

/** Images of one size. */
export interface SmallImages {
  /** `[count, height, width, channels]` in any range. */
  values: Float32Array;
  height: number;
  width: number;
  channels: number;
}

/** A filter: its weight at a distance in pixels, and how far it reaches. */
interface Filter {
  weight(distance: number): number;
  radius: number;
}

const FILTERS: Readonly<Record<"lanczos" | "bicubic", Filter>> = {
  lanczos: {
    radius: 3,
    weight(x) {
      const t = Math.abs(x);
      if (t >= 3) return 0;
      return sinc(t) * sinc(t / 3);
    },
  },
  bicubic: {
    radius: 2,
    weight(x) {
      const t = Math.abs(x);
      if (t < 1) return 1.5 * t ** 3 - 2.5 * t ** 2 + 1;
      if (t < 2) return -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2;
      return 0;
    },
  },
};

/**
 * Enlarges images by a whole factor.
 * @returns `[count, factor * height, factor * width, channels]`
 */
export function enlargeBy(
  filter: keyof typeof FILTERS,
  { values, height, width, channels }: SmallImages,
  factor: number,
): Float32Array {
  const rows = taps(FILTERS[filter], height, factor);
  const columns = taps(FILTERS[filter], width, factor);
  const count = values.length / (height * width * channels);
  const wide = new Float32Array(count * height * factor * width * channels);
  let to = 0;
  for (let line = 0; line < count * height; line++) {
    for (const { places, weights } of columns) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        places.forEach((x, i) => sum += weights[i] * values[(line * width + x) * channels + c]);
        wide[to++] = sum;
      }
    }
  }
  const stride = factor * width * channels;
  const large = new Float32Array(wide.length * factor);
  to = 0;
  for (let image = 0; image < count; image++) {
    for (const { places, weights } of rows) {
      for (let at = 0; at < stride; at++) {
        let sum = 0;
        places.forEach((y, i) => sum += weights[i] * wide[(image * height + y) * stride + at]);
        large[to++] = sum;
      }
    }
  }
  return large;
}

/** Which pixels each new pixel is made of, and with which weights. */
function taps(
  { weight, radius }: Filter,
  size: number,
  factor: number,
): { places: number[]; weights: number[] }[] {
  return Array.from({ length: size * factor }, (_, at) => {
    const center = (at + 0.5) / factor - 0.5;
    const places: number[] = [];
    const weights: number[] = [];
    for (let x = Math.ceil(center - radius); x <= Math.floor(center + radius); x++) {
      const own = weight(x - center);
      if (x < 0 || x >= size || own === 0) continue;
      places.push(x);
      weights.push(own);
    }
    const total = weights.reduce((sum, own) => sum + own, 0);
    return { places, weights: weights.map((own) => own / total) };
  });
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
