/** What a visit to a page is. */

/** A page to open, and what to read from it. */
export interface Visit {
  /** The page's address; where there is an extension, the page's name in it. */
  url: string;
  /** The folder of an unpacked extension, which Chromium loads first. */
  extension?: string;
  /** A JavaScript expression; null or undefined means that the page is not ready. */
  read: string;
  timeoutMs: number;
}

/** What a page said. */
export interface VisitResult {
  /** The expression's value; null where the time ran out. */
  seen: unknown;
  /** Warnings and errors in the console; WebKit's driver tells none. */
  messages: string[];
}

/** How often a page is asked. */
export const READ_INTERVAL_MS = 50;
