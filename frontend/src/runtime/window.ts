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

const [SOONEST, LATEST] = [5, 60];
// The points that a window is drawn in, about: what is finer than one changes nothing.
const POINTS = 300;

export function useAsked(): Asked {
  return askedFor(useRoute(), Date.now() / 1000);
}

export function askedFor(state: State, now: number): Asked {
  const hours = hoursOf(state, now);
  const step = (hours * 3600) / POINTS;
  const every = Math.round(Math.min(Math.max(step / 4, SOONEST), LATEST));
  return { hours, every, tableEvery: Math.max(2 * every, 10) };
}

/** What a chart's time axis shows. */
export function rangeOf(zoom: Stretch | null, window: WindowDocument): Stretch {
  return zoom ?? { from: secondsOf(window.start), until: secondsOf(window.end) };
}
