/** How long requests took over time, as a heat map. */

import { useMemo } from "preact/hooks";
import { HeatMapChart } from "../charts/heat-map.tsx";
import type { HeatMap } from "../charts/heat.ts";
import type { Latency } from "../model/documents.ts";
import { secondsOf } from "../model/times.ts";
import { useMonitoring } from "../runtime/polled.ts";
import { useRoute, zoomTo } from "../runtime/router.ts";
import { rangeOf, type Asked } from "../runtime/window.ts";
import { Answered } from "./samples.tsx";

interface LatencyProps {
  readonly endpoint?: string;
  readonly organization?: string;
  readonly asked: Asked;
}

export function LatencyHeatMap({ endpoint, organization, asked }: LatencyProps) {
  const latency = useMonitoring<Latency>(
    "performance/latency/",
    { hours: asked.hours, endpoint, organization_id: organization },
    asked.every,
  );
  return <Answered polled={latency}>{(document) => <Drawn latency={document} />}</Answered>;
}

function Drawn({ latency }: { readonly latency: Latency }) {
  const { zoom } = useRoute();
  const map = useMemo(() => heatMapOf(latency), [latency]);
  const range = useMemo(() => rangeOf(zoom, latency.window), [zoom, latency]);
  if (map.bounds.length < 2) {
    return null;
  }
  return (
    <HeatMapChart
      title="How long requests took"
      map={map}
      range={range}
      onZoom={zoomTo}
    />
  );
}

export function heatMapOf(latency: Latency): HeatMap {
  return {
    times: latency.points.map((point) => secondsOf(point.time)),
    step: latency.step,
    bounds: latency.bounds,
    columns: latency.points.map((point) => point.counts),
  };
}
