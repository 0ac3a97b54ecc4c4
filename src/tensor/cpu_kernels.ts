/**
 * Kernels of the `cpu` backend that TensorFlow.js has, but a hundred times too slow for training: the
 * gradient of a convolution's filter goes through `TensorBuffer.get` for every product there (28 s for
 * 3x3x128x64 on a 2x32x32 image; 0.2 s here).
 */
import * as tf from "@tensorflow/tfjs"; // not through tf.ts, which calls this file

type Values = Float32Array | Int32Array;

/** The part of the cpu backend that kernels use. */
interface CpuBackend {
  data: { get(id: unknown): { values: Values } };
  makeTensorInfo(shape: number[], dtype: string, values: Values): tf.TensorInfo;
}

type ConvInfo = ReturnType<typeof tf.backend_util.computeConv2DInfo>;

/** dL/dW of a convolution of `[n, h, w, c]` images. Sums in double precision. */
function filterGradient(x: Values, dy: Values, info: ConvInfo): Float32Array {
  const { inChannels, outChannels, inHeight, inWidth, outHeight, outWidth } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  const sums = new Float64Array(filterHeight * filterWidth * inChannels * outChannels);
  for (let row = 0; row < filterHeight; row++) {
    for (let column = 0; column < filterWidth; column++) {
      const tap = (row * filterWidth + column) * inChannels * outChannels;
      for (let n = 0; n < info.batchSize; n++) {
        for (let yRow = 0; yRow < outHeight; yRow++) {
          const xRow = yRow * strideHeight + row - padInfo.top;
          if (xRow < 0 || xRow >= inHeight) continue;
          for (let yColumn = 0; yColumn < outWidth; yColumn++) {
            const xColumn = yColumn * strideWidth + column - padInfo.left;
            if (xColumn < 0 || xColumn >= inWidth) continue;
            const xAt = ((n * inHeight + xRow) * inWidth + xColumn) * inChannels;
            const yAt = ((n * outHeight + yRow) * outWidth + yColumn) * outChannels;
            for (let i = 0; i < inChannels; i++) {
              const value = x[xAt + i];
              const at = tap + i * outChannels;
              for (let o = 0; o < outChannels; o++) sums[at + o] += value * dy[yAt + o];
            }
          }
        }
      }
    }
  }
  return Float32Array.from(sums);
}

/** Puts the kernels in the place of the stock ones. Called where TensorFlow.js is set up. */
export function installCpuKernels(): void {
  const kernelName = "Conv2DBackpropFilter";
  const stock = tf.getKernel(kernelName, "cpu");
  tf.unregisterKernel(kernelName, "cpu");
  tf.registerKernel({
    kernelName,
    backendName: "cpu",
    kernelFunc(given) {
      const { x, dy } = given.inputs as { x: tf.TensorInfo; dy: tf.TensorInfo };
      const { strides, pad, dataFormat, dimRoundingMode, filterShape } = given.attrs!;
      if (dataFormat === "NCHW") return stock.kernelFunc(given);
      const info = tf.backend_util.computeConv2DInfo(
        x.shape as [number, number, number, number],
        filterShape as [number, number, number, number],
        strides as [number, number],
        1,
        pad as "valid" | "same" | number,
        dimRoundingMode as "floor" | "round" | "ceil" | undefined,
      );
      const backend = given.backend as CpuBackend;
      const values = (tensor: tf.TensorInfo): Values => backend.data.get(tensor.dataId).values;
      const sums = filterGradient(values(x), values(dy), info);
      return backend.makeTensorInfo(info.filterShape, "float32", sums);
    },
  });
}
