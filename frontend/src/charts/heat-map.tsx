/** Durations against time: how many requests took how long, and when. */

import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import { count, duration } from "../model/format.ts";
import type { Stretch } from "../model/state.ts";
import { useStore } from "../runtime/store.ts";
import { colours } from "../runtime/theme.ts";
import { cellAt, cellsOf, type HeatCell, type HeatMap } from "./heat.ts";
import { keyboardZoom } from "./keyboard.ts";
import { palette } from "./palette.ts";
import { cursorFor, select, timeAxis, valueAxis } from "./plot.ts";

const HEIGHT = 220;
const COLOUR = "--line-1";
const HINT = "The stronger the colour, the more requests";

interface HeatMapProps {
  readonly title: string;
  readonly map: HeatMap;
  readonly range: Stretch;
  readonly onZoom: (zoom: Stretch | null) => void;
}

interface Shown extends HeatMapProps {
  readonly cells: readonly HeatCell[];
}

export function HeatMapChart(props: HeatMapProps) {
  const { title, map, range, onZoom } = props;
  const host = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLParagraphElement>(null);
  const plot = useRef<uPlot | null>(null);
  const cells = useMemo(() => cellsOf(map), [map]);
  const current = useRef<Shown>({ ...props, cells });
  const shade = useStore(colours);
  current.current = { ...props, cells };

  useEffect(() => {
    const element = host.current;
    if (element === null) {
      return undefined;
    }
    const made = makeHeatMap(element, () => current.current, legend);
    plot.current = made;
    show(made, current.current);
    const observer = new ResizeObserver(() =>
      made.setSize({ width: Math.max(element.clientWidth, 160), height: HEIGHT }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shade]);

  useEffect(() => {
    if (plot.current !== null) {
      show(plot.current, current.current);
    }
  }, [map, range]);

  return (
    <figure
      class="chart"
      aria-label={title}
      aria-description={describe(map)}
      tabIndex={0}
      onKeyDown={(event) => keyboardZoom(event, range, onZoom)}
    >
      <figcaption>
        <span class="chart-title">{title}</span>
      </figcaption>
      <div aria-hidden="true">
        <div class="plot tall" ref={host} />
        <p class="legend" ref={legend}>
          {HINT}
        </p>
      </div>
    </figure>
  );
}

function makeHeatMap(
  host: HTMLElement,
  current: () => Shown,
  legend: { current: HTMLElement | null },
): uPlot {
  const options: uPlot.Options = {
    width: Math.max(host.clientWidth, 160),
    height: HEIGHT,
    padding: [8, 20, 0, 0],
    cursor: cursorFor({ zoom: (stretch) => current().onZoom(stretch) }),
    legend: { show: false },
    scales: { x: { time: true }, y: { range: () => [0, current().map.bounds.length - 1] } },
    axes: [timeAxis(), bandAxis(current)],
    series: [{}, { show: false }],
    hooks: {
      drawAxes: [(plot) => paint(plot, current())],
      setSelect: [(plot) => select(plot, (stretch) => current().onZoom(stretch))],
      setCursor: [(plot) => tell(plot, current(), legend.current)],
    },
  };
  return new uPlot(options, dataOf(current()), host);
}

function show(plot: uPlot, shown: Shown): void {
  plot.batch(() => {
    plot.setData(dataOf(shown), false);
    plot.setScale("x", { min: shown.range.from, max: shown.range.until });
  });
}

/** uPlot draws no line here: the values are only there for it to have some. */
function dataOf({ map }: Shown): uPlot.AlignedData {
  return [[...map.times], map.times.map(() => 0)];
}

function bandAxis(current: () => Shown): uPlot.Axis {
  return {
    ...valueAxis(),
    // Every other octave, so that no two edges read the same.
    splits: () => current().map.bounds.flatMap((_, index) => (index % 4 === 0 ? [index] : [])),
    values: (_, splits) => splits.map((index) => duration(current().map.bounds[index])),
  };
}

function paint(plot: uPlot, { map, cells }: Shown): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = palette.colour(COLOUR);
  for (const { from, band, warmth } of cells) {
    const left = plot.valToPos(from, "x", true);
    const right = plot.valToPos(from + map.step, "x", true);
    const top = plot.valToPos(band + 1, "y", true);
    const bottom = plot.valToPos(band, "y", true);
    ctx.globalAlpha = 0.08 + 0.92 * warmth;
    ctx.fillRect(left, top, Math.max(right - left - 0.5, 1), bottom - top - 0.5);
  }
  ctx.restore();
}

function tell(plot: uPlot, { map }: Shown, host: HTMLElement | null): void {
  const { left = -1, top = -1 } = plot.cursor;
  const cell =
    left < 0 || top < 0
      ? null
      : cellAt(map, plot.posToVal(left, "x"), plot.posToVal(top, "y"));
  if (host !== null) {
    host.textContent =
      cell === null
        ? HINT
        : `${duration(cell.from)} to ${duration(cell.until)}: ${count(cell.count)} requests`;
  }
}

function describe(map: HeatMap): string {
  const totals = map.bounds.slice(1).map((_, band) =>
    map.columns.reduce((sum, counts) => sum + (counts?.[band] ?? 0), 0),
  );
  const parts = totals.flatMap((total, band) =>
    total === 0 ? [] : [`${count(total)} up to ${duration(map.bounds[band + 1])}`],
  );
  return parts.length === 0 ? "No requests." : `Requests by duration: ${parts.join(", ")}.`;
}
