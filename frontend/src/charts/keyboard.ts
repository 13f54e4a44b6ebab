/** Zooming without a pointer. */

import type { Stretch } from "../model/state.ts";

const SHORTEST = 30;

type Key = Pick<KeyboardEvent, "key" | "preventDefault">;

export function keyboardZoom(
  event: Key,
  range: Stretch,
  zoom: (stretch: Stretch | null) => void,
): void {
  const next = zoomed(event.key, range);
  if (next !== undefined) {
    event.preventDefault();
    zoom(next);
  }
}

/** The stretch a key asks for; null for all, undefined for a key that means nothing here. */
export function zoomed(key: string, { from, until }: Stretch): Stretch | null | undefined {
  const length = until - from;
  const quarter = length / 4;
  switch (key) {
    case "+":
      // The end is what matters most: it is kept.
      return length / 2 < SHORTEST ? undefined : { from: until - length / 2, until };
    case "-":
      return { from: from - length, until };
    case "ArrowLeft":
      return { from: from - quarter, until: until - quarter };
    case "ArrowRight":
      return { from: from + quarter, until: until + quarter };
    case "Escape":
      return null;
    default:
      return undefined;
  }
}
