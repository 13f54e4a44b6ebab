/** One uPlot with everything that the page's charts have in common. */

import uPlot from "uplot";
import type { Format } from "../model/format.ts";
import type { Marks } from "../model/marks.ts";
import type { Stretch } from "../model/state.ts";
import { tick } from "../model/times.ts";
import { paintBands, paintLines } from "./painter.ts";
import { palette } from "./palette.ts";
import { ceiling, highestWithin } from "./scale.ts";

export interface Line {
  readonly label: string;
  /** A custom property of the style sheet. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

export interface Picture {
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly range: Stretch;
  readonly marks: Marks;
  /** Whether the alerts are about what this chart shows. */
  readonly isAboutAlerts: boolean;
  readonly format: Format;
  /** The least that the axis of values shows, in the unit of the values. */
  readonly least: number;
  /** The highest there can be: an axis of shares ends at 100 %. */
  readonly most?: number | undefined;
}

export interface Handlers {
  zoom(stretch: Stretch | null): void;
  /** The cursor is at a point, by its index; at none of them with null. */
  point(index: number | null): void;
}

export const HEIGHT = 150;
const SYNC_KEY = "prs-otel";
const PRESSING = new Set(["mousedown", "mouseup"]);
const SHORTEST = 10;
const AXIS_WIDTH = 64;
const FONT = "11px system-ui, sans-serif";

/** Make a plot that asks `current` for what it shows each time it is drawn. */
export function makePlot(
  host: HTMLElement,
  current: () => Picture,
  handlers: Handlers,
): uPlot {
  const options: uPlot.Options = {
    width: Math.max(host.clientWidth, 160),
    height: HEIGHT,
    padding: [8, 20, 0, 0],
    cursor: { ...cursorFor(handlers), y: false },
    legend: { show: false },
    scales: { x: { time: true }, y: { range: () => [0, top(current())] } },
    axes: [timeAxis(), { ...valueAxis(), values: (_, splits) => splits.map((each) => current().format(each)) }],
    series: [
      {},
      ...current().lines.map(series),
    ],
    hooks: {
      drawAxes: [(plot) => paintBands(plot, current().marks, current().isAboutAlerts, palette)],
      draw: [(plot) => paintLines(plot, current().marks, palette)],
      setSelect: [(plot) => select(plot, (stretch) => handlers.zoom(stretch))],
      setCursor: [(plot) => handlers.point(plot.cursor.idx ?? null)],
    },
  };
  return new uPlot(options, columns(current()), host);
}

/** Show the picture as it is now, without building anything anew. */
export function updatePlot(plot: uPlot, picture: Picture): void {
  plot.batch(() => {
    plot.setData(columns(picture), false);
    plot.setScale("x", { min: picture.range.from, max: picture.range.until });
  });
}

/** A cursor that is at the same time in all charts, and zooms them all. */
export function cursorFor(handlers: Pick<Handlers, "zoom">): uPlot.Cursor {
  return {
    // Of what happens in one chart the others learn where the cursor is, and nothing else.
    sync: { key: SYNC_KEY, filters: { pub: (type) => type.startsWith("mouse") && !PRESSING.has(type), sub: () => true } },
    drag: { x: true, y: false, setScale: false },
    points: { size: 6 },
    bind: {
      dblclick: () => () => {
        handlers.zoom(null);
        return null;
      },
    },
  };
}

export function timeAxis(): uPlot.Axis {
  return {
    ...axis(),
    space: 70,
    size: 28,
    values: (_, splits, _axis, _space, step) => splits.map((each) => tick(each, step)),
  };
}

export function valueAxis(): uPlot.Axis {
  return { ...axis(), size: AXIS_WIDTH, space: 34 };
}

function axis(): uPlot.Axis {
  return {
    font: FONT,
    stroke: () => palette.colour("--muted"),
    grid: { stroke: () => palette.colour("--grid"), width: 1 },
    ticks: { show: false },
  };
}

function series(line: Line): uPlot.Series {
  return {
    label: line.label,
    stroke: () => palette.colour(line.colour),
    width: 1.5,
    spanGaps: false,
    points: { show: false },
  };
}

function columns(picture: Picture): uPlot.AlignedData {
  return [picture.times, ...picture.lines.map((line) => line.values)] as uPlot.AlignedData;
}

function top(picture: Picture): number {
  const { from, until } = picture.range;
  const values = picture.lines.map((line) => line.values);
  const highest = highestWithin(picture.times, values, from, until);
  // A threshold is shown where the values come anywhere near it.
  const near = picture.marks.thresholds
    .map((each) => each.value)
    .filter((value) => value <= Math.max(highest * 2.5, picture.least));
  const end = ceiling(Math.max(highest, ...near), picture.least);
  return Math.min(end, picture.most ?? end);
}

/** Tell which stretch was dragged over, unless that was too short to be meant. */
export function select(plot: uPlot, zoom: (stretch: Stretch) => void): void {
  const { left, width } = plot.select;
  if (width < 8) {
    return;
  }
  const from = plot.posToVal(left, "x");
  const until = plot.posToVal(left + width, "x");
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  const start = Math.floor(from);
  zoom({ from: start, until: Math.max(Math.ceil(until), start + SHORTEST) });
}
