/** A chart with its title and its latest figure, drawn by uPlot. */

import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { useInSight } from "../components/in-sight.tsx";
import { hasAny, latest } from "../model/series.ts";
import type { Stretch } from "../model/state.ts";
import { colours } from "../runtime/theme.ts";
import { useStore } from "../runtime/store.ts";
import { describe } from "./description.ts";
import { Legend, writeLegend } from "./legend.tsx";
import { keyboardZoom } from "./keyboard.ts";
import { makePlot, updatePlot, type Picture } from "./plot.ts";

interface ChartProps {
  readonly title: string;
  readonly picture: Picture;
  readonly hint?: string;
  /** What to say where nothing was measured. */
  readonly empty?: string;
  readonly onZoom: (zoom: Stretch | null) => void;
}

export function Chart({ title, picture, hint, empty, onZoom }: ChartProps) {
  const isMeasured = picture.lines.some((line) => hasAny(line.values));
  const main = picture.lines[0];
  return (
    <figure
      class="chart"
      aria-label={title}
      aria-description={describe(picture)}
      tabIndex={0}
      onKeyDown={(event) => keyboardZoom(event, picture.range, onZoom)}
    >
      <figcaption>
        <span class="chart-title" title={hint}>
          {title}
        </span>
        {main && isMeasured && (
          <strong>
            {picture.lines.length > 1 && <span class="muted">{main.label} </span>}
            {picture.format(latest(main.values))}
          </strong>
        )}
      </figcaption>
      {isMeasured ? (
        <Plot picture={picture} onZoom={onZoom} />
      ) : (
        <p class="chart-empty">{empty ?? "Nothing was measured in this window."}</p>
      )}
    </figure>
  );
}

function Plot({ picture, onZoom }: Pick<ChartProps, "picture" | "onZoom">) {
  const host = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLParagraphElement>(null);
  const plot = useRef<uPlot | null>(null);
  const current = useRef({ picture, onZoom });
  const shade = useStore(colours);
  const isInSight = useInSight(host);
  const wasSeen = useRef(false);
  wasSeen.current ||= isInSight;
  current.current = { picture, onZoom };
  const shape = picture.lines.map((line) => line.label).join();

  useEffect(() => {
    const element = host.current;
    if (element === null || !wasSeen.current) {
      return undefined;
    }
    const made = makePlot(element, () => current.current.picture, {
      zoom: (stretch) => current.current.onZoom(stretch),
      point: (index) => writeLegend(legend.current, current.current.picture, index),
    });
    plot.current = made;
    updatePlot(made, current.current.picture);
    const observer = new ResizeObserver(() => {
      made.setSize({ width: Math.max(element.clientWidth, 160), height: made.height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, shade, wasSeen.current]);

  useEffect(() => {
    if (isInSight && plot.current !== null) {
      updatePlot(plot.current, picture);
      writeLegend(legend.current, picture, plot.current.cursor.idx ?? null);
    }
  }, [picture, isInSight]);

  return (
    <div aria-hidden="true">
      <div class="plot" ref={host} />
      <Legend lines={picture.lines} host={legend} />
    </div>
  );
}
