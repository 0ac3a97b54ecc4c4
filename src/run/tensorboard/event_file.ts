/** A TensorBoard event file that grows while a run is trained, so that TensorBoard can follow it. */
import { writeError } from "../../files.ts";
import { encodeEvents, type EventContent } from "./events.ts";
import { encodeRecord } from "./records.ts";

/** The clock, in seconds since 1970. */
export type Clock = () => number;

/** An event file. */
export interface EventFile {
  /** Its path. */
  readonly path: string;
  /**
   * Adds events at the end and hands them to the system, so that a reader sees whole records.
   * @throws {StorageError} when the disk is full
   */
  append(events: readonly EventContent[]): Promise<void>;
  /** Closes the file. */
  [Symbol.dispose](): void;
}

/**
 * Starts an event file in a folder; TensorBoard reads all files of a folder in the order of their names,
 * which hold the time.
 * @param startAt the step that the session starts at: later events of earlier files do not count
 * @throws {StorageError} when it cannot be written
 */
export async function openEventFile(
  folder: string,
  { startAt, now = () => Date.now() / 1000 }: { startAt: number; now?: Clock },
): Promise<EventFile> {
  const path = `${folder}/events.out.tfevents.${await freeName(
    folder,
    Math.floor(now()),
  )}.ganforge`;
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { createNew: true, write: true });
  } catch (error) {
    throw writeError(path, error);
  }
  async function append(events: readonly EventContent[]): Promise<void> {
    const records = events.flatMap((content) => encodeEvents(content, now()).map(encodeRecord));
    const bytes = new Uint8Array(records.reduce((size, record) => size + record.length, 0));
    let at = 0;
    for (const record of records) {
      bytes.set(record, at);
      at += record.length;
    }
    try {
      let written = 0;
      while (written < bytes.length) written += await file.write(bytes.subarray(written));
    } catch (error) {
      throw writeError(path, error);
    }
  }
  const start: EventContent[] = startAt ? [{ startAt }] : [];
  await append([{ fileVersion: "brain.Event:2" }, ...start]);
  return { path, append, [Symbol.dispose]: () => file.close() };
}

/** Ten digits that no event file of the folder has, at least `seconds`. */
async function freeName(folder: string, seconds: number): Promise<string> {
  let latest = seconds - 1;
  for await (const { name } of Deno.readDir(folder)) {
    const found = /^events\.out\.tfevents\.(\d{10})\./.exec(name);
    if (found) latest = Math.max(latest, Number(found[1]));
  }
  return String(latest + 1).padStart(10, "0");
}
