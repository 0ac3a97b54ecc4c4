/**
 * The file's batch size is open, and a trace has one batch size. It is a prime that divides no other
 * dimension, so that every dimension that depends on it can be told; and numbers that a function
 * computed from it on the host are found by tracing with two of them.
 */
import { UserError } from "../errors.ts";
import { constantData, type KernelGraph, type KernelNode } from "./trace/kernel_graph.ts";

const PRIMES = [1009, 2003, 4001, 8009, 16001, 32003];

/**
 * Batch sizes that are told from all of these dimensions.
 * @throws {UserError} when there are not two
 */
export function chooseBatchSizes(dims: Iterable<number>): [number, number] {
  const taken = [...dims];
  const free = PRIMES.filter((prime) => taken.every((dim) => dim === 0 || dim % prime !== 0));
  if (free.length >= 2) return [free[0], free[1]];
  throw new UserError(
    `Cannot export a network with dimensions that are multiples of ${
      PRIMES.join(", ")
    }: change a ` +
      "layer's size by one",
  );
}

/** A trace and the batch size that it was made with. */
export interface SizedGraph {
  graph: KernelGraph;
  batchSize: number;
}

/**
 * Compares two traces of one function.
 * @throws {UserError} when a number in them depends on the batch size
 */
export function refuseBatchDependence(a: SizedGraph, b: SizedGraph): void {
  const fault = findDependence(a, b);
  if (fault === null) return;
  throw new UserError(
    `Cannot export a function that computes with the batch size on the host: ${fault}; the file's ` +
      "batch size is open, so use operations that do not need it, such as tf.mean or a reshape to -1",
  );
}

function findDependence(a: SizedGraph, b: SizedGraph): string | null {
  if (a.graph.nodes.length !== b.graph.nodes.length) return "it decides which operations run";
  for (const [index, node] of a.graph.nodes.entries()) {
    const other = b.graph.nodes[index];
    const where = `${node.kernel}${node.scope && ` of ${node.scope}`}`;
    if (node.kernel !== other.kernel) return `it decides whether ${where} runs`;
    if (attributesText(node, a.batchSize) !== attributesText(other, b.batchSize)) {
      return `it decides how ${where} works`;
    }
    for (const [name, value] of Object.entries(node.inputs)) {
      const match = other.inputs[name];
      const kinds = [value.source.kind, match?.source.kind];
      if (kinds[0] !== kinds[1]) return `it decides what ${where} reads`;
      if (value.source.kind === "fill" && match.source.kind === "fill") {
        if (!Object.is(value.source.value, match.source.value)) {
          return `${where} reads ${value.source.value} for ${a.batchSize} samples and ` +
            `${match.source.value} for ${b.batchSize}`;
        }
      } else if (value.source.kind === "constant") {
        const [data, otherData] = [constantData(value)!, constantData(match)!];
        const isSame = data.length === otherData.length &&
          data.every((item, position) => Object.is(item, otherData[position]));
        if (!isSame) return `${where} reads other constants`;
      }
    }
  }
  return null;
}

/** Attributes with multiples of the batch size as such. */
function attributesText({ attributes }: KernelNode, batchSize: number): string {
  return JSON.stringify(
    attributes,
    (_, value) =>
      typeof value === "number" && value > 0 && value % batchSize === 0
        ? `${value / batchSize} N`
        : value,
  );
}
