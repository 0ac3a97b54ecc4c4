/** Several ranks in one process, for tests without MPI: an exchange ends once all have come to it. */
import type { Collective } from "../../src/engine/types.ts";

/** As many collectives as there are ranks. */
export function simulatedRanks(count: number): Collective[] {
  let waiting: Float32Array[] = [];
  let release: (() => void)[] = [];
  return Array.from({ length: count }, (_, rank): Collective => ({
    async allReduceMean(values) {
      waiting[rank] = values;
      if (waiting.filter((entry) => entry !== undefined).length < count) {
        await new Promise<void>((resolve) => release.push(resolve));
        return;
      }
      const all = waiting;
      for (let i = 0; i < values.length; i++) {
        let sum = 0;
        for (const one of all) sum = Math.fround(sum + one[i]);
        for (const one of all) one[i] = sum / count;
      }
      const others = release;
      [waiting, release] = [[], []];
      for (const resolve of others) resolve();
    },
  }));
}
