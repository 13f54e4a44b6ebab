/** How long the requests of an endpoint took, as a heat map, where the API tells it. */

import type { Asked } from "../runtime/window.ts";

interface LatencyProps {
  readonly endpoint: string;
  readonly method: string;
  readonly asked: Asked;
}

export function LatencyHeatMap(_: LatencyProps) {
  return null;
}
