/** Pictures, plots, the progress line and the report of a run. */
export * from "./density_plot.ts";
export * from "./figure.ts";
export * from "./gif.ts";
export * from "./image_grid.ts";
export * from "./loss_plot.ts";
export type { Mark } from "./marks.ts";
export * from "./progress.ts";
export * from "./rasterize.ts";
export * from "./run_report.ts";
export * from "./scatter_plot.ts";
