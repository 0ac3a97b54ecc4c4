/** Parts that reports of all kinds of runs have: the table of a network, and the commands for a run. */
import { formatInteger, formatShape } from "../text.ts";
import { markdownTable } from "./markdown.ts";

/** One network's table; a built `Network` has such layers. */
export interface ReportedNetwork {
  /** "Generator", say. */
  title: string;
  /** Without the batch. */
  inputShape: readonly number[];
  /** From the input to the output. */
  layers: readonly {
    /** Path within the network. */
    name: string;
    /** The layer's type, as in a config. */
    type: string;
    /** Without the batch. */
    outputShape: readonly number[];
    /** Elements in its own parameters. */
    parameterCount: number;
  }[];
}

/** The section of a network: its layers, their outputs and parameters. */
export function networkSection({ title, inputShape, layers }: ReportedNetwork): string {
  const total = layers.reduce((sum, layer) => sum + layer.parameterCount, 0);
  const rows = layers.map(({ name, type, outputShape, parameterCount }) => [
    name,
    type,
    formatShape(outputShape),
    parameterCount ? formatInteger(parameterCount) : "",
  ]);
  const table = markdownTable(["layer", "type", "output", ">parameters"], [
    ["input", "", formatShape(inputShape), ""],
    ...rows,
    ["**total**", "", "", `**${formatInteger(total)}**`],
  ]);
  return `### ${title}\n\n${table}`;
}

/** A block of commands, each with RUN where the run's path goes, quoted where a shell needs it. */
export function commandsOf(path: string, commands: readonly string[]): string {
  const run = /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
  return ["```sh", ...commands.map((command) => command.replace("RUN", () => run)), "```"].join(
    "\n",
  );
}
