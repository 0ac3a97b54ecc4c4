/** How a dispatch's workgroups lie along its axes. */

/** Workgroups along x at most: WebGPU allows 65,535. */
const MAX_ACROSS = 32768;

/** Lays workgroups out in rows along y, so that no axis passes what WebGPU allows. Some may be too many. */
export function spread(groups: number): [number, number, number] {
  const rows = Math.ceil(groups / MAX_ACROSS);
  return [Math.ceil(groups / rows), rows, 1];
}
