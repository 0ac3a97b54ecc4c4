/** Random generators, by seed, of all layers that a generator can be built of. Tiny, so that many run. */
import type { ActivationName, LayerSpec, NetworkSpec } from "../../src/config/network.ts";
import { pcg4d } from "../../src/random/counter_random.ts";

const ACTIVATIONS: ActivationName[] = [
  "linear",
  "relu",
  "relu6",
  "leaky-relu",
  "elu",
  "selu",
  "silu",
  "gelu",
  "mish",
  "tanh",
  "sigmoid",
  "hard-sigmoid",
  "softplus",
  "softsign",
  "softmax",
];

/** No side of an image is longer than this before the last layers. */
const MAX_SIDE = 8;

/** Draws one network. */
class SpecWriter {
  readonly #seed: number;
  #drawn = 0;
  readonly classCount: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.classCount = 3;
  }

  /** A whole number from `low` to `high`. */
  integer(low: number, high: number): number {
    return low + pcg4d(this.#drawn++, 0, 0, this.#seed)[0] % (high - low + 1);
  }

  chance(percent: number): boolean {
    return this.integer(1, 100) <= percent;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)];
  }

  activation(): LayerSpec {
    const fn = this.pick(ACTIVATIONS);
    const hasAlpha = (fn === "leaky-relu" || fn === "elu") && this.chance(60);
    return { type: "activation", fn, ...(hasAlpha ? { alpha: this.pick([0.2, 0.5, 1.5]) } : {}) };
  }

  weighted(): { bias?: boolean; spectralNorm?: boolean } {
    return {
      ...(this.chance(30) ? { bias: false } : {}),
      ...(this.chance(15) ? { spectralNorm: true } : {}),
    };
  }

  /** A norm for vectors or images. */
  norm(shape: number[]): LayerSpec {
    const channels = shape.at(-1)!;
    const types = ["batch-norm", "batch-norm", "conditional-batch-norm", "layer-norm"];
    if (shape.length === 3) {
      if (shape[0] * shape[1] > 1) types.push("instance-norm");
      types.push("group-norm");
    }
    const type = this.pick(types);
    if (type === "batch-norm") return { type, ...(this.chance(20) ? { affine: false } : {}) };
    if (type === "instance-norm") return { type, ...(this.chance(50) ? { affine: true } : {}) };
    if (type !== "group-norm") return { type } as LayerSpec;
    const groups = [1, 2, 3, 4].filter((count) => channels % count === 0);
    return { type, groups: this.pick(groups) };
  }

  /** Layers from a vector to a vector. @returns the layers and the length that comes out */
  vectorLayer(size: number): [LayerSpec[], number] {
    switch (this.integer(0, 5)) {
      case 0:
        return [[{ type: "label-embedding", units: 3 }], size + 3];
      case 1: {
        const units = this.integer(2, 6);
        return [[{ type: "maxout", units, pieces: this.integer(2, 3), ...this.weighted() }], units];
      }
      case 2:
        return [[this.norm([size])], size];
      case 3:
        return [[{ type: "dropout", rate: 0.4 }, { type: "gaussian-noise", sigma: 0.2 }], size];
      default: {
        const units = this.integer(2, 8);
        return [[{ type: "dense", units, ...this.weighted() }, this.activation()], units];
      }
    }
  }

  /** A layer from an image to an image. */
  imageLayer([height, width, channels]: number[]): [LayerSpec, number[]] {
    const canGrow = Math.max(height, width) * 2 <= MAX_SIDE;
    const canShrink = Math.min(height, width) >= 2;
    const kind = this.integer(0, 14);
    switch (kind) {
      case 0:
      case 1:
      case 2:
        return this.conv([height, width, channels]);
      case 3: {
        const kernel = this.integer(1, Math.min(3, height, width));
        const multiplier = this.integer(1, 2);
        const padding = this.integer(0, 1);
        const grow = 2 * padding - kernel + 1;
        return [
          { type: "depthwise-conv", kernel, multiplier, padding, ...this.weighted() },
          [height + grow, width + grow, channels * multiplier],
        ];
      }
      case 4:
      case 5:
        return canGrow
          ? this.convTranspose([height, width, channels])
          : this.same([height, width, channels]);
      case 6:
      case 7:
        if (!canGrow) return this.same([height, width, channels]);
        return [
          { type: "upsample", factor: 2, mode: this.pick(["nearest", "bilinear"]) },
          [height * 2, width * 2, channels],
        ];
      case 8:
        if (!canGrow || channels % 4 !== 0) {
          return [this.norm([height, width, channels]), [
            height,
            width,
            channels,
          ]];
        }
        return [{ type: "pixel-shuffle", factor: 2 }, [height * 2, width * 2, channels / 4]];
      case 9: {
        const [top, left, bottom, right] = [0, 0, 0, 0].map(() => this.integer(0, 1));
        return [
          { type: "pad", padding: [top, left, bottom, right] },
          [height + top + bottom, width + left + right, channels],
        ];
      }
      case 10:
        if (!canShrink) break;
        return [
          { type: this.pick(["avg-pool", "max-pool"]), size: 2 },
          [Math.floor(height / 2), Math.floor(width / 2), channels],
        ];
      case 11:
        return [
          { type: "self-attention", ...(this.chance(30) ? { spectralNorm: true } : {}) },
          [height, width, channels],
        ];
      case 12:
        return this.residual([height, width, channels]);
      case 13:
        return [this.norm([height, width, channels]), [height, width, channels]];
    }
    return [this.activation(), [height, width, channels]];
  }

  conv([height, width, channels]: number[]): [LayerSpec, number[]] {
    const groups = this.chance(25) ? channels : 1;
    const filters = groups === 1 ? this.pick([1, 2, 3, 4, 8]) : channels * this.integer(1, 2);
    const dilation = this.chance(20) ? 2 : 1;
    const kernel: [number, number] = [this.integer(1, 3), this.integer(1, 3)];
    const padding = kernel.map((size) => {
      const reach = (size - 1) * dilation;
      return [this.integer(0, 1), Math.max(reach - Math.min(height, width) + 1, 0) + 1];
    });
    const [[top, bottom], [left, right]] = padding;
    const stride = this.pick([1, 1, 2]);
    const side = (length: number, size: number, before: number, after: number) =>
      Math.floor((length + before + after - (size - 1) * dilation - 1) / stride) + 1;
    return [
      {
        type: "conv",
        filters,
        kernel,
        stride,
        dilation,
        groups,
        padding: [top, left, bottom, right],
        ...this.weighted(),
      },
      [side(height, kernel[0], top, bottom), side(width, kernel[1], left, right), filters],
    ];
  }

  convTranspose([height, width]: number[]): [LayerSpec, number[]] {
    const stride = this.integer(1, 2);
    const kernel = this.integer(stride, 4);
    const padding = this.integer(0, Math.floor((kernel - 1) / 2));
    const outputPadding = stride === 2 ? this.integer(0, 1) : 0;
    const filters = this.pick([1, 2, 3, 4]);
    const side = (length: number) => (length - 1) * stride - 2 * padding + kernel + outputPadding;
    if (side(height) < 1 || side(width) < 1) return this.convTranspose([height, width]);
    return [
      {
        type: "conv-transpose",
        filters,
        kernel,
        stride,
        padding,
        outputPadding,
        ...this.weighted(),
      },
      [side(height), side(width), filters],
    ];
  }

  residual(shape: number[]): [LayerSpec, number[]] {
    const [height, width, channels] = shape;
    const widens = this.chance(40);
    const filters = widens ? this.pick([2, 4, 6]) : channels;
    return [
      {
        type: "residual",
        body: [
          this.norm(shape),
          this.activation(),
          { type: "conv", filters, kernel: 3, padding: 1, ...this.weighted() },
        ],
        ...(widens ? { shortcut: [{ type: "conv", filters, kernel: 1 }] } : {}),
      },
      [height, width, filters],
    ];
  }

  same(shape: number[]): [LayerSpec, number[]] {
    return [{ type: "conv", filters: shape[2], kernel: 3, padding: 1 }, shape];
  }
}

/** The generator of a seed. */
export function randomSpec(seed: number): NetworkSpec {
  const writer = new SpecWriter(seed);
  const latent = writer.integer(1, 5);
  const layers: LayerSpec[] = [];
  let size = latent;
  const vectorLayers = (count: number): void => {
    for (let index = 0; index < count; index++) {
      const [added, next] = writer.vectorLayer(size);
      layers.push(...added);
      size = next;
    }
  };
  vectorLayers(writer.integer(0, 3));
  if (writer.chance(85)) {
    const side = writer.integer(1, 4);
    let shape = [side, side, writer.pick([1, 2, 3, 4, 8])];
    layers.push({ type: "dense", units: side * side * shape[2], ...writer.weighted() });
    if (writer.chance(40)) layers.push(writer.norm([side * side * shape[2]]));
    if (writer.chance(60)) layers.push(writer.activation());
    layers.push({ type: "reshape", shape });
    for (let count = writer.integer(1, 5); count > 0; count--) {
      const [layer, next] = writer.imageLayer(shape);
      layers.push(layer);
      shape = next;
    }
    const ending = writer.integer(0, 9);
    if (ending < 7) {
      layers.push({ type: "conv", filters: writer.pick([1, 3]), kernel: 1 }, {
        type: "activation",
        fn: "tanh",
      });
    } else {
      const type = writer.pick(["flatten", "global-avg-pool", "global-sum-pool"] as const);
      layers.push({ type });
      size = type === "flatten" ? shape[0] * shape[1] * shape[2] : shape[2];
      vectorLayers(1);
    }
  }
  if (layers.length === 0) layers.push({ type: "dense", units: 2 });
  return { inputShape: [latent], init: "torch", layers, classCount: writer.classCount };
}
