/// <reference lib="dom" />
/** One sample on the way from a latent A to a latent B, moved along a direction. */
import type { Sampler } from "@ganforge/ganforge/sampler";
import { byId, latestOnly, numberOf } from "./dom.ts";
import type { Gallery } from "./gallery.ts";

/** What the page's other half must know of the explorer. */
export interface Explorer {
  /** Takes a sample's seed for the end that is chosen, and chooses the other one. */
  pick(seed: number): void;
  /** Draws again; with another sampler, where one is given. */
  show(sampler?: Sampler): void;
}

/**
 * Wires the explorer up.
 * @param onValues called with the explored sample's numbers, where it is no image
 */
export function makeExplorer(
  settings: () => ReturnType<Gallery["settings"]>,
  onValues: (values: ArrayLike<number>) => void,
  onError: (error: unknown) => void,
): Explorer {
  const seedA = byId<HTMLInputElement>("seed-a");
  const seedB = byId<HTMLInputElement>("seed-b");
  const mix = byId<HTMLInputElement>("mix");
  const direction = byId<HTMLInputElement>("direction");
  const distance = byId<HTMLInputElement>("distance");
  const preview = byId<HTMLCanvasElement>("preview");
  const values = byId("preview-values");
  let sampler: Sampler | null = null;

  /** `slerp(A, B, mix) + distance * unit vector of the direction's seed` */
  function latentOf(sampler: Sampler): Float32Array {
    const path = sampler.interpolate([numberOf(seedA, 0), numberOf(seedB, 1)], { frames: 101 });
    const latent = path[mix.valueAsNumber];
    const along = sampler.latent(numberOf(direction, 0));
    const norm = Math.hypot(...along) || 1;
    return latent.map((value, i) => value + distance.valueAsNumber * along[i] / norm);
  }

  /** The class of the nearer end, where classes go in turn: the one that the gallery shows. */
  function classOf({ info }: Sampler): number | undefined {
    const seed = mix.valueAsNumber < 50 ? numberOf(seedA, 0) : numberOf(seedB, 1);
    return info.classNames === null ? undefined : seed % info.classNames.length;
  }

  const draw = latestOnly(preview, async () => {
    const used = sampler;
    if (used === null) return;
    try {
      byId("mix-value").textContent = `${mix.value}%`;
      byId("distance-value").textContent = distance.valueAsNumber.toFixed(1);
      const latents = [latentOf(used)];
      const { truncation, label } = settings();
      const [sample] = await used.sample({ latents, truncation, label: label ?? classOf(used) });
      preview.hidden = !sample.isImage;
      values.hidden = sample.isImage;
      if (!sample.isImage) {
        values.textContent = Array.from(sample.values, (value) => value.toFixed(4)).join(", ");
        onValues(sample.values);
        return;
      }
      const pixels = sample.toImageData();
      preview.width = pixels.width;
      preview.height = pixels.height;
      preview.getContext("2d")!.putImageData(pixels, 0, 0);
    } catch (error) {
      if (used === sampler) onError(error); // otherwise another generator took its place
    }
  });
  for (const input of [seedA, seedB, mix, direction, distance]) {
    input.addEventListener("input", draw);
  }

  return {
    pick(seed) {
      const ends = [...document.querySelectorAll<HTMLInputElement>("input[name=end]")];
      const isA = ends[0].checked;
      (isA ? seedA : seedB).valueAsNumber = seed;
      mix.valueAsNumber = isA ? 0 : 100;
      ends[isA ? 1 : 0].checked = true;
      preview.scrollIntoView({ block: "nearest" }); // on a phone it lies below the samples
      draw();
    },
    show(next) {
      sampler = next ?? sampler;
      draw();
    },
  };
}
