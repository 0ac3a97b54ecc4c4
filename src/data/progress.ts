/** Progress callbacks of loading data. */

/** How far the loading of images is. */
export interface DataProgress {
  /** What is being done. */
  stage: "checking" | "decoding";
  /** Images done. */
  done: number;
  /** Images to do. */
  total: number;
}
