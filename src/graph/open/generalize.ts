/**
 * From graphs that each hold for some lengths of the open axes to the one graph that holds for any.
 *
 * The same function, lowered for several lengths, gives graphs of the same operations. Where they are the
 * same in all, the file is. Where they differ, the difference must follow from the lengths: a shape or the
 * end of a slice is then computed at run time. What is explained in no such way is refused, so that no
 * length that stood in while tracing can stay in a file.
 */
import { elementCount } from "../../bytes.ts";
import type {
  OnnxAttribute,
  OnnxGraph,
  OnnxNode,
  OnnxTensor,
  OnnxValueInfo,
} from "../onnx_graph.ts";
import { type AxisLengths, changedAxes, openAxisError } from "./axes.ts";
import { dimensionOf } from "./dimension_names.ts";
import { OpenGraph } from "./open_graph.ts";
import { padAtRunTime } from "./same_padding.ts";
import { constantOf, isFixed, type Length } from "./sizes.ts";
import { SAME_PADDING } from "../lower/conv.ts";

/** A graph that holds for some lengths of the open axes. */
export interface SizedGraph {
  /** All its dimensions are numbers. */
  graph: OnnxGraph;
  /** The length of each open axis. */
  lengths: AxisLengths;
}

/** "To the end" of a slice. */
const FAR = 2 ** 31 - 1;

/**
 * Makes one graph of several.
 * @throws {UserError} when a difference between them does not follow from the lengths of the open axes
 */
export function generalize(variants: readonly SizedGraph[]): OnnxGraph {
  return new Generalizer(variants).run();
}

class Generalizer {
  readonly #graphs: OnnxGraph[];
  readonly #lengths: AxisLengths[];
  readonly #initializers: Map<string, OnnxTensor>[];
  /** For each graph, the first one's name for a value. */
  readonly #names: Map<string, string>[];
  /** For each value of the first graph, the length of each dimension. */
  readonly #dims = new Map<string, Length[]>();
  readonly #open: OpenGraph;

  constructor(variants: readonly SizedGraph[]) {
    this.#graphs = variants.map(({ graph }) => graph);
    this.#lengths = variants.map(({ lengths }) => lengths);
    this.#initializers = this.#graphs.map(({ initializers }) =>
      new Map(initializers.map((tensor) => [tensor.name, tensor]))
    );
    this.#names = this.#graphs.map(() => new Map());
    this.#open = new OpenGraph(this.#graphs[0]);
  }

  run(): OnnxGraph {
    const [first] = this.#graphs;
    this.#matchValues(this.#graphs.map(({ inputs }) => inputs.map(({ name }) => name)));
    this.#graphs[0].nodes.forEach((node, index) => {
      const nodes = this.#graphs.map(({ nodes }) => nodes[index]);
      if (nodes.some((other) => other?.op !== node.op)) {
        this.#fail(nodes.map((other) => other?.op), `it decides whether ${node.name} runs`);
      }
      this.#matchValues(nodes.map(({ outputs }) => outputs));
    });
    if (this.#graphs.some(({ nodes }) => nodes.length !== first.nodes.length)) {
      this.#fail(this.#graphs.map(({ nodes }) => nodes.length), "it decides which operations run");
    }
    this.#readDims();
    first.inputs.forEach(({ name }) => this.#note(name));
    first.nodes.forEach((_, index) => this.#node(this.#graphs.map(({ nodes }) => nodes[index])));
    const stated = (value: OnnxValueInfo) => this.#stated(value);
    return this.#open.finish(
      first.inputs.map(stated),
      first.outputs.map(stated),
      (first.values ?? []).map(stated),
    );
  }

  #matchValues(names: string[][]): void {
    names[0].forEach((name, position) =>
      names.forEach((own, variant) => this.#names[variant].set(own[position], name))
    );
  }

  #readDims(): void {
    const known = this.#graphs.map((graph, variant) => {
      const infos = [...graph.inputs, ...graph.values ?? [], ...graph.outputs];
      return new Map(infos.map(({ name, dims }) => [this.#names[variant].get(name)!, dims]));
    });
    for (const [name, dims] of known[0]) {
      if (dims === undefined || known.some((own) => own.get(name)?.length !== dims.length)) {
        continue;
      }
      this.#dims.set(name, dims.map((_, axis) => known.map((own) => Number(own.get(name)![axis]))));
    }
  }

  /** Remembers where the lengths of a value's open axes can be read. */
  #note(name: string): void {
    this.#dims.get(name)?.forEach((length, axis) =>
      this.#open.lengths.add(length, { value: name, axis })
    );
  }

  #stated(value: OnnxValueInfo): OnnxValueInfo {
    const dims = this.#dims.get(value.name)?.map((length) => dimensionOf(length, this.#lengths));
    return { ...value, dims };
  }

  #node(nodes: readonly OnnxNode[]): void {
    const [node] = nodes;
    const attributes = this.#attributes(nodes);
    const inputs = node.inputs.map((_, position) => this.#input(nodes, position));
    const isPadded = attributes?.auto_pad === SAME_PADDING;
    const written = { ...node, inputs, attributes };
    if (isPadded) {
      padAtRunTime(this.#open, written, this.#dims.get(node.inputs[0])!);
    } else {
      this.#open.nodes.push(written);
    }
    node.outputs.forEach((output) => this.#note(output));
  }

  #attributes(nodes: readonly OnnxNode[]): Record<string, OnnxAttribute> | undefined {
    const [node] = nodes;
    const texts = nodes.map(({ attributes }) => JSON.stringify(attributes));
    if (texts.every((text) => text === texts[0])) return node.attributes;
    const differs = Object.keys(node.attributes ?? {}).find((name) =>
      nodes.some(({ attributes }) =>
        JSON.stringify(attributes?.[name]) !== JSON.stringify(node.attributes![name])
      )
    );
    const what = differs?.includes("pad") ? "how far it pads" : `its ${differs ?? "attributes"}`;
    this.#fail(texts, `${node.name} depends on it in ${what}`);
  }

  /** The name of what a node reads at a position. */
  #input(nodes: readonly OnnxNode[], position: number): string {
    const [node] = nodes;
    const name = node.inputs[position];
    const tensors = nodes.map(({ inputs }, variant) =>
      this.#initializers[variant].get(inputs[position])
    );
    if (tensors.every((tensor) => tensor === undefined)) {
      const own = nodes.map(({ inputs }, variant) => {
        const given = inputs[position];
        return given === "" || given === undefined ? given : this.#names[variant].get(given);
      });
      if (own.some((other) => other !== name)) {
        this.#fail(own, `it decides what ${node.name} reads`);
      }
      return name;
    }
    const [tensor] = tensors;
    if (tensor === undefined || tensors.includes(undefined)) {
      this.#fail(tensors.map(Boolean), `it decides whether ${node.name} reads a constant`);
    }
    return this.#constant(nodes, position, tensors as OnnxTensor[]);
  }

  #constant(nodes: readonly OnnxNode[], position: number, tensors: readonly OnnxTensor[]): string {
    const [tensor] = tensors;
    if (tensors.every((other) => sameTensor(tensor, other))) return tensor.name;
    const [node] = nodes;
    const isSameShape = tensors.every(({ dims }) => dims.join() === tensor.dims.join());
    if (isSameShape && tensor.dtype === "int64" && tensor.dims.length === 1) {
      const values = tensors.map(({ data }) => Array.from(data as BigInt64Array, Number));
      const lengths = values[0].map((_, index) => values.map((own) => own[index]));
      return this.#integers(node, position, lengths);
    }
    const isScalar = isSameShape && elementCount(tensor.dims) === 1 && tensor.dtype !== "bool";
    const found = tensors.map(({ data }) => Number((data as Float32Array)[0]));
    const computed = isScalar ? this.#open.scalar(node, found, tensor) : null;
    if (computed !== null) return computed;
    const what = isScalar ? found.join(", ") : "other constants";
    const lengths = this.#lengths.map((own) => Object.values(own).join(" x "));
    this.#fail(
      isSameShape
        ? tensors.map(({ data }) => String(data))
        : tensors.map(({ dims }) => dims.join()),
      `${node.name} reads ${what}${isScalar ? ` for ${lengths.join(", ")}` : ""}`,
    );
  }

  /** A vector of whole numbers some of which depend on open axes. */
  #integers(node: OnnxNode, position: number, lengths: Length[]): string {
    const known = lengths.map((length, index) => this.#asConstant(node, position, length, index));
    const isReshape = node.op === "Reshape" && position === 1;
    // One dimension of a reshape follows from the others.
    if (isReshape && known.filter((value) => value === null).length === 1) {
      return this.#open.integers(known.map((value) => value ?? -1));
    }
    const result = this.#open.vector(node, lengths, known);
    if (typeof result === "string") return result;
    this.#fail(lengths[result.failed], `${node.name} needs ${lengths[result.failed].join(" or ")}`);
  }

  /** The number that says the same for any length, or null where it must be computed. */
  #asConstant(node: OnnxNode, position: number, length: Length, index: number): number | null {
    if (isFixed(length)) return length[0];
    const input = this.#dims.get(node.inputs[0]);
    if (node.op === "Reshape" && input?.[index]?.join() === length.join()) return 0; // as it was
    if (node.op !== "Slice" || (position !== 1 && position !== 2) || input === undefined) {
      return null;
    }
    const axes = this.#initializers[0].get(node.inputs[3])?.data as BigInt64Array;
    const whole = input[Number(axes[index])];
    const fromEnd = constantOf(length.map((value, k) => value - whole[k]));
    if (fromEnd === null || fromEnd > 0) return null;
    return fromEnd === 0 ? FAR : fromEnd;
  }

  /** @param values what differs, in each graph */
  #fail(values: readonly unknown[], fault: string): never {
    const [first] = this.#lengths;
    const texts = values.map(String);
    const changes = this.#lengths.map((lengths) => changedAxes(first, lengths));
    const alone = changes.filter((axes, k) => axes.length === 1 && texts[k] !== texts[0]).flat();
    const any = changes.find((_, k) => texts[k] !== texts[0]) ?? [];
    throw openAxisError(alone.length > 0 ? alone : any, fault);
  }
}

function sameTensor(a: OnnxTensor, b: OnnxTensor): boolean {
  if (a === b || a.data === b.data) return a.dims.join() === b.dims.join();
  if (a.dtype !== b.dtype || a.dims.join() !== b.dims.join()) return false;
  const [left, right] = [a.data, b.data].map((data) =>
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  );
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
