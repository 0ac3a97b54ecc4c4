/** Standard output as a terminal or a pipe: widths, colors, and what happens when nobody reads any more. */

/** Where lines are written. */
export interface Terminal {
  /** Whether a line can be rewritten. */
  interactive: boolean;
  /** Whether text may have colors. Default: where it is interactive. */
  colored?: boolean;
  /** The width in characters, asked before each line. */
  columns(): number;
  /** Writes text as it is. */
  write(text: string): void;
  /** Milliseconds. */
  now(): number;
}

const closing = new AbortController();

/** Aborted once the reader of standard output has gone, as in `deno task train | head -1`. */
export const outputClosed: AbortSignal = closing.signal;

/** The process's standard output. `NO_COLOR` turns colors off. */
export function stdoutTerminal(): Terminal {
  const encoder = new TextEncoder();
  const interactive = Deno.stdout.isTerminal();
  return {
    interactive,
    colored: interactive && !Deno.noColor,
    columns: () => Deno.consoleSize().columns || 80, // some terminals say 0
    write(text) {
      const bytes = encoder.encode(text);
      try {
        for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
      } catch (error) {
        if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
        closing.abort();
      }
    },
    now: () => performance.now(),
  };
}

/** Where the text of a message begins, after its label: `warning   the loss is not finite`. */
const LABEL_WIDTH = 10;

const COLORS: Readonly<Record<string, string>> = {
  "warning": "\x1b[33m",
  "note": "\x1b[33m",
  "error:": "\x1b[31m",
  "stopped": "\x1b[33m",
};
const PATHS = new Set(["run", "report", "images", "exported", "sampled", "dashboard"]);
const PATH_COLOR = "\x1b[36m";
const PLAIN = "\x1b[39m";

/**
 * A message with its words kept whole: lines are broken between words, and continue under the message's
 * text. A word that is longer than a line stays whole.
 * @param columns of the terminal
 */
export function wrapMessage(message: string, columns: number): string {
  return message.split("\n").map((line) => wrapLine(line, columns)).join("\n");
}

function wrapLine(line: string, columns: number): string {
  if ([...line].length <= columns) return line;
  const [label] = /^\S{1,9} {2,}/.exec(line) ?? [""];
  const indent = " ".repeat(label.length === LABEL_WIDTH ? LABEL_WIDTH : 2);
  const lines = [label];
  let isEmpty = true;
  for (const word of line.slice(label.length).split(" ")) {
    const current = lines[lines.length - 1];
    const fits = [...current].length + [...word].length + (isEmpty ? 0 : 1) <= columns;
    if (isEmpty || fits) lines[lines.length - 1] += isEmpty ? word : ` ${word}`;
    else lines.push(indent + word);
    isEmpty = false;
  }
  return lines.join("\n");
}

/** A message with colors: warnings and errors by their label, and the first path of what says where. */
export function colorMessage(message: string): string {
  const [label = ""] = /^\S+/.exec(message) ?? [];
  const color = COLORS[label];
  if (color) return color + label + PLAIN + message.slice(label.length);
  if (!PATHS.has(label)) return message;
  return message.replace(/^(\S+ +)([^\s,]+)/, `$1${PATH_COLOR}$2${PLAIN}`);
}

/** A message as a terminal shows it, wrapped and colored where that is possible. */
export function dressMessage(message: string, { interactive, colored, columns }: Terminal): string {
  const wrapped = interactive ? wrapMessage(message, columns()) : message;
  return colored ?? interactive ? colorMessage(wrapped) : wrapped;
}
