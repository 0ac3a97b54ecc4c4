/**
 * Errors that a caller can catch, by what they mean. A task prints each in one line without a stack and
 * exits with 2 for a {@linkcode UserError}, with 1 for any other.
 *
 * @module
 */

/**
 * The base of all errors that ganforge throws on purpose. The message is one line that says what was
 * attempted, what was found, what was expected and how to fix it.
 */
export class GanforgeError extends Error {
  /** The name of the class. */
  override name: string = "GanforgeError";

  /**
   * Makes the error.
   * @param message one line; control characters, which a damaged file or an odd file name may bring in,
   * are written as escapes
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message.replace(/[\p{Cc}\u2028\u2029]/gu, escaped), options);
  }
}

/** A character as `\u` and its four hexadecimal digits. */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A mistake in the call or its data: bad input, a missing file, an option that makes no sense. */
export class UserError extends GanforgeError {
  /** The name of the class. */
  override name: string = "UserError";
}

/** Training produced a NaN, an infinity or exploding weights. The last checkpoint is still good. */
export class TrainingDivergedError extends GanforgeError {
  /** The name of the class. */
  override name: string = "TrainingDivergedError";
  /** The step, counted from 1, whose values were not finite. */
  readonly step: number;

  /**
   * Makes the error.
   * @param step counted from 1
   */
  constructor(message: string, step: number) {
    super(message);
    this.step = step;
  }
}

/** The GPU was lost during the work: unplugged, reset by its driver, or out of memory. */
export class DeviceLostError extends GanforgeError {
  /** The name of the class. */
  override name: string = "DeviceLostError";
}

/** A file could not be had from a server: no connection, a server that fails, a transfer that broke off. */
export class DownloadError extends GanforgeError {
  /** The name of the class. */
  override name: string = "DownloadError";
}

/** The disk is full, or a quota is used up. What was written before is still there. */
export class StorageError extends GanforgeError {
  /** The name of the class. */
  override name: string = "StorageError";
}
