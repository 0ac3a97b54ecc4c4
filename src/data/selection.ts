/** Some samples of a source, in any order and also several times, without a copy of them. */
import { sha256 } from "../hash.ts";
import { completeSource, type DataSource, type Described } from "./source.ts";

/**
 * The samples of a source with these numbers.
 * @param indices numbers of samples, from 0
 * @param description default: the source's
 */
export function selectSamples(
  source: DataSource,
  indices: Uint32Array,
  description: string = source.description,
): DataSource {
  const { batch: _batch, writeBatch: _writeBatch, stored, pixels: _pixels, labels, ...rest } =
    source;
  const bytes = new Uint8Array(indices.buffer, indices.byteOffset, indices.byteLength);
  const described: Described = {
    ...rest,
    description,
    count: indices.length,
    fingerprint: sha256(source.fingerprint, bytes),
    ...(labels ? { labels: Int32Array.from(indices, (index) => labels[index]) } : {}),
    ...(stored
      ? {
        stored: {
          ...stored,
          rowsOf: (samples) =>
            stored.rowsOf(Uint32Array.from(samples, (sample) => indices[sample])),
        },
      }
      : {}),
  };
  const one = new Uint32Array(1);
  return completeSource(described, (out, sample, index) => {
    one[0] = indices[index];
    const size = source.sampleSize;
    source.writeBatch(out.subarray(sample * size, (sample + 1) * size), one);
  });
}
