/// <reference lib="dom" />
/** What the page asks the server for. */
import type { RasterImage } from "../../raster/raster.ts";
import type { Curves } from "../curves.ts";
import type { RunSummary } from "../run_summary.ts";

export type { Curves, RunSummary };

/** What the page of a run shows besides its curves. */
export interface RunDetails {
  summary: RunSummary;
  config: Record<string, unknown> | null;
  data: Record<string, unknown> | null;
  evaluations: { step: number; measures: Record<string, number | null> }[];
  events: { event: string; step: number; message?: string; fault?: string; to?: number }[];
  files: string[];
  samples: string[];
}

async function ask<Result>(path: string, init?: RequestInit): Promise<Result> {
  const response = await fetch(path, init);
  if (!response.ok) throw new Error((await response.text()).trim());
  return await response.json();
}

/** One run. */
export function fetchRun(name: string): Promise<RunDetails> {
  return ask(`/api/runs/${encodeURIComponent(name)}`);
}

/** Its curves, thinned. */
export function fetchCurves(name: string, points = 1500): Promise<Curves> {
  return ask(`/api/runs/${encodeURIComponent(name)}/curves?points=${points}`);
}

/** Asks a run to stop, or to export its latest checkpoint. */
export function act(name: string, what: "stop" | "export"): Promise<unknown> {
  const init = { method: "POST", headers: { "x-ganforge": "1" } };
  return ask(`/api/runs/${encodeURIComponent(name)}/${what}`, init);
}

/** A run's training images that are nearest to an image, with their distances: a PNG. */
export async function fetchNearest(name: string, image: RasterImage): Promise<Blob> {
  const { width, height, channels, data } = image;
  const query = `width=${width}&height=${height}&channels=${channels}`;
  const response = await fetch(`/api/runs/${encodeURIComponent(name)}/nearest?${query}`, {
    method: "POST",
    headers: { "x-ganforge": "1" },
    body: Uint8Array.from(data),
  });
  if (!response.ok) throw new Error((await response.text()).trim());
  return await response.blob();
}

/** The address of a run's file; `version` changes when the file does. */
export function fileUrl(name: string, path: string, version: number | string = 0): string {
  const parts = path.split("/").map(encodeURIComponent).join("/");
  return `/files/${encodeURIComponent(name)}/${parts}?v=${version}`;
}

/** All runs, kept up to date by the server. */
export class LiveRuns {
  readonly #runs = new Map<string, RunSummary>();
  readonly #listeners = new Set<(changed: ReadonlySet<string>) => void>();

  /** Starts to listen. @param onError called when the connection is lost */
  constructor(onError: () => void) {
    const source = new EventSource("/api/stream");
    source.onmessage = ({ data }) => {
      const { changed, gone } = JSON.parse(data) as { changed: RunSummary[]; gone: string[] };
      for (const run of changed) this.#runs.set(run.name, run);
      for (const name of gone) this.#runs.delete(name);
      const names = new Set([...changed.map(({ name }) => name), ...gone]);
      for (const listener of this.#listeners) listener(names);
    };
    source.onerror = onError;
  }

  /** All runs, the newest first. */
  list(): RunSummary[] {
    return [...this.#runs.values()].sort((a, b) => b.name.localeCompare(a.name));
  }

  /** One of them. */
  get(name: string): RunSummary | undefined {
    return this.#runs.get(name);
  }

  /** Calls a function after each change, until the returned function is called. */
  listen(listener: (changed: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
