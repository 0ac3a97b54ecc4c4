/**
 * The filter's gradient of a convolution for software adapters: a thread keeps a tile of one tap's
 * `[channels, outChannels]` in registers and walks over the output's pixels.
 */
import { accumulators, type ConvTile, fields, guarded, HEAD } from "./conv_registers.ts";
import { COMPONENT, each, floatType, storage, uniforms } from "./wgsl.ts";

/**
 * Gradient for the filter from x (binding 0) and dy (1):
 * `[parts, kernelHeight * kernelWidth * channels, outChannels]`, the sum over output rows in parts.
 * Dispatch: x over taps and tiles, y over parts.
 */
export function convFilterGradientCode({ rows, columns, sumWidth, outWidth }: ConvTile): string {
  const float = floatType(outWidth);
  const vectors = columns / outWidth;
  const rowVectors = rows / sumWidth;
  const rowOf = (i: number) => sumWidth === 4 ? `a${i >> 2}.${COMPONENT[i & 3]}` : `a${i}`;
  return `
${storage({ X: floatType(sumWidth), D: float }, { P: float })}
${uniforms(fields("tilesM", "depth"), 3)}
${HEAD}
  let nFirst = (id.x % u.tilesN) * ${columns}u;
  let mFirst = (id.x / u.tilesN % u.tilesM) * ${rows}u;
  let tap = id.x / (u.tilesN * u.tilesM);
  let kh = tap / u.kernelWidth;
  let kw = tap % u.kernelWidth;
  let allRows = u.batch * u.outHeight;
  ${
    each(rowVectors, (i) =>
      `let r${i} = min(mFirst + ${i * sumWidth}u, u.channels - ${sumWidth}u);`)
  }
  ${
    each(vectors, (j) =>
      `let s${j} = min(nFirst + ${j * outWidth}u, u.outChannels - ${outWidth}u);`)
  }
  ${accumulators(rows, vectors, float)}
  // The output columns whose tap lies in the image.
  let left = i32(kw * u.dilationWidth) - i32(u.padLeft);
  let stride = i32(u.strideWidth);
  let first = u32(max(0, (stride - 1 - left) / stride));
  let end = u32(clamp((i32(u.width) - left + stride - 1) / stride, 0, i32(u.outWidth)));
  for (var r = id.y * u.depth; r < min(allRows, (id.y + 1u) * u.depth); r++) {
    let h = i32(r % u.outHeight * u.strideHeight + kh * u.dilationHeight) - i32(u.padTop);
    if (h < 0 || h >= i32(u.height)) { continue; }
    let rowBase = (r / u.outHeight * u.height + u32(h)) * u.width;
    for (var ow = first; ow < end; ow++) {
      let p = (rowBase + u32(i32(ow) * stride + left)) * u.channels;
      let d = (r * u.outWidth + ow) * u.outChannels;
      ${each(rowVectors, (i) => `let a${i} = X[(p + r${i}) / ${sumWidth}u];`)}
      ${each(vectors, (j) => `let b${j} = D[(d + s${j}) / ${outWidth}u];`)}
      ${each(rows, (i) => each(vectors, (j) => `c${i}_${j} += ${rowOf(i)} * b${j};`))}
    }
  }
  let part = id.y * u.kernelHeight * u.kernelWidth;
  ${
    each(rows, (i) =>
      `if (mFirst + ${i}u < u.channels) {
    let o = (((part + tap) * u.channels + mFirst + ${i}u) * u.outChannels + nFirst) / ${outWidth}u;
    ${
        each(vectors, (j) =>
          guarded(`nFirst + ${j * outWidth}u`, "u.outChannels", `P[o + ${j}u] = c${i}_${j};`))
      }
  }`)
  }
}`;
}
