/**
 * A mistake of the user's: bad input, a missing file, an option that makes no sense.
 *
 * The message is one line that says what was attempted, what was found, what was expected and how to
 * fix it. Tasks print it without a stack and exit with code 2.
 */
export class UserError extends Error {
  /**
   * Makes the error.
   * @param message one line: what, where, what was expected, how to fix it; control characters, which
   * a damaged file or an odd file name may bring in, are written as escapes
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message.replace(/[\p{Cc}\u2028\u2029]/gu, escaped), options);
    this.name = "UserError";
  }
}

/** A character as `\u` and its four hexadecimal digits. */
function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Training produced a NaN or an infinity. The state of the last checkpoint is still good. */
export class TrainingDivergedError extends UserError {
  /** The step, counted from 1, whose numbers were not finite. */
  readonly step: number;

  /**
   * What went wrong, and when.
   * @param step counted from 1
   */
  constructor(message: string, step: number) {
    super(message);
    this.name = "TrainingDivergedError";
    this.step = step;
  }
}

/** The GPU went away in the middle of the work: unplugged, reset by its driver, or out of memory. */
export class DeviceLostError extends UserError {
  /** What the device said, and what can be done. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DeviceLostError";
  }
}
