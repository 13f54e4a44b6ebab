/** The window that the page shows, and how often it is worth asking for. */

import { hoursOf, type State, type Stretch } from "../model/state.ts";
import type { WindowDocument } from "../model/documents.ts";
import { secondsOf } from "../model/times.ts";
import { useRoute } from "./router.ts";

export interface Asked {
  readonly hours: number;
  /** Seconds between two requests for a chart. */
  readonly every: number;
  /** The same for a table, which is larger and changes less to the eye. */
  readonly tableEvery: number;
}

// The longer the window, the less a chart of it changes in a few seconds.
const PACES = [
  { hours: 0.25, every: 5 },
  { hours: 1, every: 10 },
  { hours: 6, every: 20 },
  { hours: 24, every: 30 },
] as const;
const SLOWEST = 60;
const SHORTEST_RANGE = 300;

export function useAsked(): Asked {
  return askedFor(useRoute(), Date.now() / 1000);
}

export function askedFor(state: State, now: number): Asked {
  const hours = hoursOf(state, now);
  const every = PACES.find((pace) => hours <= pace.hours)?.every ?? SLOWEST;
  return { hours, every, tableEvery: Math.max(2 * every, 10) };
}

/** What a chart's time axis shows: the zoom, or as much of the window as was measured. */
export function rangeOf(zoom: Stretch | null, window: WindowDocument): Stretch {
  if (zoom !== null) {
    return zoom;
  }
  const until = secondsOf(window.end);
  const measured = until - Math.max(window.covered_seconds, SHORTEST_RANGE);
  return { from: Math.max(secondsOf(window.start), measured), until };
}
