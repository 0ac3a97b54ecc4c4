/**
 * Convolutions for software adapters: each thread keeps a tile of the result in registers, reads
 * pixels and filter taps straight from memory, and visits only taps that can touch its pixels.
 */
import { GEOMETRY_FIELDS } from "./conv_geometry.ts";
import { COMPONENT, each, floatType, listOf, storage, uniforms } from "./wgsl.ts";

/** A program's tile: `rows` pixels (or input channels) by `columns` channels. */
export interface ConvTile {
  /** Results of different pixels, or rows of the filter. */
  rows: number;
  /** Results of different channels. */
  columns: number;
  /** 4 where the channels that are summed over (or, for the filter, its rows) come in fours. */
  sumWidth: 1 | 4;
  /** 4 where the channels of the result come in fours; then `columns` does too. */
  outWidth: 1 | 4;
}

/** Threads in a workgroup. */
export const CONV_THREADS = 8;

/** The start of the programs: a thread has one tile. */
export const HEAD = `
@compute @workgroup_size(${CONV_THREADS})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= u.tiles) { return; }`;

/** Fields of the uniform block. */
export const fields = (
  ...own: string[]
): string[] => [...GEOMETRY_FIELDS, "tilesN", "tiles", ...own];
/** Declares the tile's sums. */
export const accumulators = (rows: number, vectors: number, float: string): string =>
  each(rows, (i) => each(vectors, (j) => `var c${i}_${j} = ${float}(0.0);`));

/** Stores an accumulator where its column exists. */
export const guarded = (column: string, limit: string, statement: string): string =>
  `if (${column} < ${limit}) { ${statement} }`;

/**
 * Output `[batch * outHeight * outWidth, outChannels]` from x (binding 0) and filter (1).
 * Dispatch: x over tiles.
 */
export function convForwardCode({ rows, columns, sumWidth, outWidth }: ConvTile): string {
  const float = floatType(outWidth);
  const vectors = columns / outWidth;
  const tap = (q: number) => sumWidth === 4 ? `.${COMPONENT[q]}` : "";
  return `
${storage({ X: floatType(sumWidth), F: float }, { Y: float })}
${uniforms(fields(), 3)}
${HEAD}
  let nFirst = (id.x % u.tilesN) * ${columns}u;
  let mFirst = (id.x / u.tilesN) * ${rows}u;
  let pixels = u.batch * u.outHeight * u.outWidth;
  ${
    each(rows, (i) => `
  let m${i} = min(mFirst + ${i}u, pixels - 1u);
  let image${i} = i32(m${i} / (u.outHeight * u.outWidth) * u.height * u.width);
  let y${i} = i32(m${i} / u.outWidth % u.outHeight * u.strideHeight) - i32(u.padTop);
  let x${i} = i32(m${i} % u.outWidth * u.strideWidth) - i32(u.padLeft);`)
  }
  ${
    each(vectors, (j) =>
      `let f${j} = min(nFirst + ${j * outWidth}u, u.outChannels - ${outWidth}u) / ${outWidth}u;`)
  }
  ${accumulators(rows, vectors, float)}
  for (var kh = 0u; kh < u.kernelHeight; kh++) {
    for (var kw = 0u; kw < u.kernelWidth; kw++) {
      let filterBase = (kh * u.kernelWidth + kw) * u.channels;
      ${
    each(rows, (i) => `
      let h${i} = y${i} + i32(kh * u.dilationHeight);
      let w${i} = x${i} + i32(kw * u.dilationWidth);
      let in${i} = h${i} >= 0 && h${i} < i32(u.height) && w${i} >= 0 && w${i} < i32(u.width);
      let p${i} = u32(select(0, image${i} + h${i} * i32(u.width) + w${i}, in${i})) * u.channels;`)
  }
      for (var c = 0u; c < u.channels; c += ${sumWidth}u) {
        ${
    each(rows, (i) =>
      `let a${i} = select(${floatType(sumWidth)}(0.0), X[(p${i} + c) / ${sumWidth}u], in${i});`)
  }
        ${
    each(sumWidth, (q) =>
      each(vectors, (j) =>
        `let b${q}_${j} = F[(filterBase + c + ${q}u) * (u.outChannels / ${outWidth}u) + f${j}];`))
  }
        ${
    each(rows, (i) =>
      each(vectors, (j) => {
        const terms = listOf(sumWidth, (q) => `a${i}${tap(q)} * b${q}_${j}`);
        return `c${i}_${j} += ${terms.join(" + ")};`;
      }))
  }
      }
    }
  }
  ${
    each(rows, (i) =>
      `if (mFirst + ${i}u < pixels) {
    let o = ((mFirst + ${i}u) * u.outChannels + nFirst) / ${outWidth}u;
    ${
        each(vectors, (j) =>
          guarded(`nFirst + ${j * outWidth}u`, "u.outChannels", `Y[o + ${j}u] = c${i}_${j};`))
      }
  }`)
  }
}`;
}

/**
 * Gradient for the input from dy (binding 0) and filter (1): `[batch, height, width, channels]`.
 * Pixels with the same remainder by the strides form a phase, whose taps are known.
 * Dispatch: x over tiles, y over `strideHeight * strideWidth` phases.
 */
export function convInputGradientCode({ rows, columns, sumWidth, outWidth }: ConvTile): string {
  const float = floatType(outWidth);
  const vectors = columns / outWidth;
  const product = (a: string, b: string) => sumWidth === 4 ? `dot(${a}, ${b})` : `${a} * ${b}`;
  return `
${storage({ D: floatType(sumWidth), F: floatType(sumWidth) }, { G: float })}
${uniforms(fields(), 3)}
${HEAD}
  let nFirst = (id.x % u.tilesN) * ${columns}u;
  let mFirst = (id.x / u.tilesN) * ${rows}u;
  let phaseY = id.y / u.strideWidth;
  let phaseX = id.y % u.strideWidth;
  let phaseHeight = (u.height + u.strideHeight - 1u) / u.strideHeight;
  let phaseWidth = (u.width + u.strideWidth - 1u) / u.strideWidth;
  let pixels = u.batch * phaseHeight * phaseWidth;
  ${
    each(rows, (i) => `
  let m${i} = min(mFirst + ${i}u, pixels - 1u);
  let n${i} = m${i} / (phaseHeight * phaseWidth);
  let y${i} = m${i} / phaseWidth % phaseHeight * u.strideHeight + phaseY;
  let x${i} = m${i} % phaseWidth * u.strideWidth + phaseX;`)
  }
  ${each(columns, (c) => `let f${c} = min(nFirst + ${c}u, u.channels - 1u) * u.outChannels;`)}
  ${accumulators(rows, vectors, float)}
  for (var kh = 0u; kh < u.kernelHeight; kh++) {
    if ((phaseY + u.padTop + kh * u.dilationHeight * (u.strideHeight - 1u)) % u.strideHeight != 0u) {
      continue;
    }
    for (var kw = 0u; kw < u.kernelWidth; kw++) {
      if ((phaseX + u.padLeft + kw * u.dilationWidth * (u.strideWidth - 1u)) % u.strideWidth != 0u) {
        continue;
      }
      let filterBase = (kh * u.kernelWidth + kw) * u.channels * u.outChannels;
      ${
    each(rows, (i) => `
      let top${i} = i32(y${i} + u.padTop) - i32(kh * u.dilationHeight);
      let left${i} = i32(x${i} + u.padLeft) - i32(kw * u.dilationWidth);
      let h${i} = top${i} / i32(u.strideHeight);
      let w${i} = left${i} / i32(u.strideWidth);
      let in${i} = top${i} >= 0 && left${i} >= 0 && h${i} < i32(u.outHeight) &&
        w${i} < i32(u.outWidth);
      let p${i} = select(0u, (n${i} * u.outHeight + u32(h${i})) * u.outWidth + u32(w${i}), in${i}) *
        u.outChannels;`)
  }
      for (var c = 0u; c < u.outChannels; c += ${sumWidth}u) {
        ${
    each(rows, (i) =>
      `let a${i} = select(${floatType(sumWidth)}(0.0), D[(p${i} + c) / ${sumWidth}u], in${i});`)
  }
        ${
    each(vectors, (j) => `
        ${
      each(
        outWidth,
        (q) => `let b${j}_${q} = F[(filterBase + f${j * outWidth + q} + c) / ${sumWidth}u];`,
      )
    }
        ${
      each(rows, (i) => {
        const products = listOf(outWidth, (q) => product(`a${i}`, `b${j}_${q}`));
        return `c${i}_${j} += ${
          outWidth === 4 ? `${float}(${products.join(", ")})` : products[0]
        };`;
      })
    }`)
  }
      }
    }
  }
  ${
    each(rows, (i) =>
      `if (mFirst + ${i}u < pixels && y${i} < u.height && x${i} < u.width) {
    let o = (((n${i} * u.height + y${i}) * u.width + x${i}) * u.channels + nFirst) / ${outWidth}u;
    ${
        each(
          vectors,
          (j) => guarded(`nFirst + ${j * outWidth}u`, "u.channels", `G[o + ${j}u] = c${i}_${j};`),
        )
      }
  }`)
  }
}`;
}
