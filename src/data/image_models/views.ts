/** Sources made of other sources of images: a part of each image, another image of each, mirrored and cropped ones. */
import { elementCount } from "../../bytes.ts";
import { sha256 } from "../../hash.ts";
import { completeSource, type DataSource, imageSource } from "../source.ts";

/** An image that is made of each image of a source. */
export interface MadeImages {
  /** `[height, width, channels]` */
  shape: readonly [number, number, number];
  name: string;
  description: string;
  /** Names what `make` does, for the fingerprint. */
  by: string;
  /** From the 8-bit pixels of an image of the source to those of the new one. */
  make(pixels: Uint8Array): Uint8Array;
}

/** A source's images, each turned into another; in memory where the source is. */
export function madeImages(source: DataSource, made: MadeImages): DataSource {
  const { shape, name, description, by, make } = made;
  const { count, sampleSize, labels, classNames, decoding } = source;
  const size = elementCount(shape);
  const labeled = labels ? { labels, classNames } : {};
  if (source.pixels) {
    const pixels = new Uint8Array(count * size);
    for (let i = 0; i < count; i++) {
      pixels.set(make(source.pixels.subarray(i * sampleSize, (i + 1) * sampleSize)), i * size);
    }
    return imageSource(pixels, { shape, name, description, decoding, ...labeled });
  }
  const { batch: _batch, writeBatch: _write, stored: _stored, ...rest } = source;
  const one = new Uint32Array(1);
  return completeSource({
    ...rest,
    name,
    description,
    shape,
    sampleSize: size,
    fingerprint: sha256(`${by} ${source.fingerprint}`),
  }, (out, sample, index) => {
    one[0] = index;
    const pixels = make(Uint8Array.from(source.batch(one).values, toByte));
    for (let i = 0; i < size; i++) out[sample * size + i] = pixels[i] / 127.5 - 1;
  });
}

/** How images are mirrored and cropped. */
export interface ViewOptions {
  /** Height and width of the crops. */
  size: readonly [number, number];
  /** Whether images are mirrored left to right too. */
  flip: boolean;
}

/** In how many ways images of a size are mirrored and cropped. */
export function viewCount(
  [height, width]: readonly number[],
  { size, flip }: ViewOptions,
): number {
  return (height - size[0] + 1) * (width - size[1] + 1) * (flip ? 2 : 1);
}

/** Every crop of a source's images, mirrored and not: sample `i` in way `w` is number `i * views + w`. */
export function viewedImages(source: DataSource, options: ViewOptions): DataSource {
  const { size: [height, width], flip } = options;
  const [, fullWidth, channels] = source.shape;
  const views = viewCount(source.shape, options);
  const across = fullWidth - width + 1;
  const { batch: _batch, writeBatch: _write, stored: _stored, pixels: _pixels, ...unlabeled } =
    source;
  const { labels: _labels, ...rest } = unlabeled;
  const sampleSize = height * width * channels;
  const one = new Uint32Array(1);
  const whole = new Float32Array(source.sampleSize);
  const crops = views === (flip ? 2 : 1) ? "" : `, random crops of ${width} x ${height}`;
  return completeSource({
    ...rest,
    shape: [height, width, channels],
    sampleSize,
    count: source.count * views,
    description: `${source.description}${flip ? ", mirrored at random" : ""}${crops}`,
    fingerprint: sha256(`views ${height} ${width} ${flip} ${source.fingerprint}`),
  }, (out, sample, index) => {
    one[0] = Math.floor(index / views);
    let way = index % views;
    const isMirrored = flip && way % 2 === 1;
    if (flip) way = Math.floor(way / 2);
    const top = Math.floor(way / across);
    const left = way % across;
    source.writeBatch(whole, one);
    let to = sample * sampleSize;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const column = left + (isMirrored ? width - 1 - x : x);
        const from = ((top + y) * fullWidth + column) * channels;
        for (let c = 0; c < channels; c++) out[to++] = whole[from + c];
      }
    }
  });
}

/** The middle of each image. */
export function middleOf(source: DataSource, size: readonly [number, number]): DataSource {
  const [fullHeight, fullWidth, channels] = source.shape;
  const [height, width] = size;
  if (fullHeight === height && fullWidth === width) return source;
  const top = Math.floor((fullHeight - height) / 2);
  const left = Math.floor((fullWidth - width) / 2);
  return madeImages(source, {
    shape: [height, width, channels],
    name: source.name,
    description: source.description,
    by: `middle ${height} ${width}`,
    make: (pixels) => partOf(pixels, { width: fullWidth, channels }, { top, left, height, width }),
  });
}

/** A rectangle of an image. @param image its width and channels */
export function partOf(
  pixels: Uint8Array,
  image: { width: number; channels: number },
  { top, left, height, width }: { top: number; left: number; height: number; width: number },
): Uint8Array {
  const { channels } = image;
  const part = new Uint8Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * image.width + left) * channels;
    part.set(pixels.subarray(start, start + width * channels), y * width * channels);
  }
  return part;
}

function toByte(value: number): number {
  return Math.round((value + 1) * 127.5);
}
