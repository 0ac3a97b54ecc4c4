/** Groups of operations that have become one kernel each, what they need of each other, and their order. */

/** Operations that become one. */
export interface Group {
  /** Indices of operations, rising. */
  members: number[];
  /** Groups that have to run before it. */
  needs: Set<Group>;
  /** Groups that have to run after it. */
  neededBy: Set<Group>;
}

/** Lets `to` run after `from`. */
export function addArrow(from: Group, to: Group): void {
  to.needs.add(from);
  from.neededBy.add(to);
}

/** True when `to` needs `from`, directly or through others. */
export function reaches(from: Group, to: Group): boolean {
  const seen = new Set<Group>([from]);
  for (const group of seen) {
    if (group === to) return true;
    group.neededBy.forEach((next) => seen.add(next));
  }
  return false;
}

/** True when some path leads from one group to the other through a third. */
export function reachesAround(from: Group, to: Group): boolean {
  const seen = new Set<Group>([from, to]);
  const open = [...from.neededBy].filter((group) => group !== to);
  while (open.length > 0) {
    const group = open.pop()!;
    if (seen.has(group)) continue;
    seen.add(group);
    if (group.neededBy.has(to)) return true;
    open.push(...group.neededBy);
  }
  return false;
}

/** Groups after what they need, otherwise in the order of the recording. */
export function asRecorded(groups: Group[]): Group[] {
  const placed = new Set<Group>();
  const order: Group[] = [];
  const place = (group: Group) => {
    if (placed.has(group)) return;
    placed.add(group);
    for (const needed of group.needs) place(needed);
    order.push(group);
  };
  groups.forEach(place);
  return order;
}

/**
 * Chains that do not need each other advance together, a discriminator's passes over real and made
 * samples for one: all products that can run now, then all the work between products, which so comes in
 * a row. Nothing is done before its time by more than the lookahead, as results take memory.
 * @param groups in the order of the recording
 */
export function sideBySide(
  groups: Group[],
  { lookahead, isProduct }: { lookahead: number; isProduct(group: Group): boolean },
): Group[] {
  const open = new Map(groups.map((group) => [group, group.needs.size]));
  const order: Group[] = [];
  while (open.size > 0) {
    const isReady = (group: Group) => open.get(group) === 0;
    const all = [...open.keys()];
    let ready = all.slice(0, lookahead).filter(isReady);
    if (ready.length === 0) ready = all.filter(isReady);
    const products = ready.filter(isProduct);
    for (const group of products.length > 0 ? products : ready) {
      open.delete(group);
      order.push(group);
      for (const next of group.neededBy) open.set(next, open.get(next)! - 1);
    }
  }
  return order;
}
