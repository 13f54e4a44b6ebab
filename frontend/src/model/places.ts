/** Where each alert is shown: what has a place keeps it, so that nothing moves under the eye. */

import type { Alert } from "./alerts.ts";

type Placed = Pick<Alert, "id" | "name">;

export interface Shown<A extends Placed> {
  readonly open: readonly A[];
  /** What was resolved a short while ago, the latest first. */
  readonly over: readonly A[];
}

export interface Room {
  /** How many places there are. */
  readonly places: number;
  /** How many of them are in sight; these are taken first. */
  readonly inSight: number;
}

/** Return the alert in each place, null where there is none; none are left at the end. */
export function placesOf<A extends Placed>(
  before: readonly (Placed | null)[],
  { open, over }: Shown<A>,
  { places, inSight }: Room,
): (A | null)[] {
  const known = new Map([...over, ...open].map((alert) => [alert.id, alert]));
  const isOpen = new Set(open.map((alert) => alert.id));
  const found: (A | null)[] = Array.from({ length: places }, (_, index) => {
    return known.get(before[index]?.id ?? "") ?? null;
  });
  const free = (index: number): boolean => found[index] === null;
  const taken = (index: number): boolean => isOpen.has(found[index]?.id ?? "");
  const missing = (alert: A): boolean => !found.some((each) => each?.id === alert.id);
  for (const alert of open.filter(missing)) {
    // Where its rule fired before; else an empty place in sight; else one of what is over.
    const place = first(
      order(places),
      (index) => !taken(index) && before[index]?.name === alert.name,
      (index) => index < inSight && free(index),
      (index) => index < inSight && !taken(index),
      (index) => !taken(index),
    );
    if (place !== undefined) {
      found[place] = alert;
    }
  }
  for (const alert of over.filter(missing)) {
    const place = first(order(places), free);
    if (place !== undefined) {
      found[place] = alert;
    }
  }
  return found.slice(0, found.findLastIndex((each) => each !== null) + 1);
}

function order(places: number): readonly number[] {
  return Array.from({ length: places }, (_, index) => index);
}

function first(
  places: readonly number[],
  ...wishes: readonly ((index: number) => boolean)[]
): number | undefined {
  for (const wish of wishes) {
    const place = places.find(wish);
    if (place !== undefined) {
      return place;
    }
  }
  return undefined;
}
