/** Where readers put the samples that they decode, one after the other: memory, or a cache file. */
import { UserError } from "../errors.ts";
import { MAX_DATA_BYTES } from "./byte_reader.ts";
import type { ImageChannels } from "./images/raster.ts";

/** Takes rows of 8-bit pixels. */
export interface SampleSink {
  /**
   * Called once, before the first row.
   * @param shape `[height, width, channels]` of each
   * @param maxCount rows that may follow
   * @throws {UserError} when there is no room for them
   */
  begin(shape: readonly [number, number, number], maxCount: number): void;
  /** Takes the next row of `height * width * channels` bytes. */
  write(row: Uint8Array): void;
}

/** What a reader knows of the samples that it wrote. */
export interface SetParts {
  /** The source's name. */
  name: string;
  /** What was read, for the source's description. */
  origin: string;
  /** `[height, width, channels]` */
  shape: [number, number, ImageChannels];
  /** `[count]` */
  labels?: Int32Array;
  /** Names of the classes, where there are labels. */
  classNames?: readonly string[];
  /** What decoded and resized the samples, where something did. */
  decoding?: string;
  /** What is odd, left out or changed, in lines for a person. */
  notes?: readonly string[];
}

/** Keeps rows in memory. */
export class MemorySink implements SampleSink {
  #pixels = new Uint8Array(0);
  #size = 0;
  #used = 0;

  begin(shape: readonly [number, number, number], maxCount: number): void {
    this.#size = shape.reduce((product, side) => product * side, 1);
    const bytes = this.#size * maxCount;
    if (bytes > MAX_DATA_BYTES) {
      throw new UserError(
        `Cannot keep ${maxCount} images of ${shape[1]} x ${shape[0]} pixels in memory: they take ` +
          `${bytes} bytes, and the limit is ${MAX_DATA_BYTES}; choose a cache folder by --cache, ` +
          `smaller images by "size", or fewer by "count"`,
      );
    }
    this.#pixels = new Uint8Array(bytes);
  }

  write(row: Uint8Array): void {
    if (row.length !== this.#size) {
      throw new RangeError(`A row has ${this.#size} bytes: ${row.length} were given`);
    }
    this.#pixels.set(row, this.#used);
    this.#used += row.length;
  }

  /** `[count, ...shape]` all rows so far. */
  get pixels(): Uint8Array {
    return this.#pixels.subarray(0, this.#used);
  }
}
