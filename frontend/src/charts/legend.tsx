/** What a chart's lines are, and their values where the cursor is. */

import type { RefObject } from "preact";
import { shown, utc } from "../model/times.ts";
import type { Line, Picture } from "./plot.ts";

interface LegendProps {
  readonly lines: readonly Line[];
  readonly host: RefObject<HTMLParagraphElement | null>;
}

export function Legend({ lines, host }: LegendProps) {
  return (
    <p class="legend" ref={host}>
      {lines.map((line) => (
        <span key={line.label}>
          <i style={{ background: `var(${line.colour})` }} /> {line.label} <b />
        </span>
      ))}
      <time />
    </p>
  );
}

/** Write the values at a point; the latest ones where there is none. Moves with each pointer. */
export function writeLegend(
  host: HTMLElement | null,
  picture: Picture,
  index: number | null,
): void {
  if (host === null) {
    return;
  }
  const values = host.querySelectorAll("b");
  picture.lines.forEach((line, position) => {
    const value = index === null ? line.values.findLast((each) => each !== null) : line.values[index];
    values.item(position).textContent = picture.format(value);
  });
  const seconds = index === null ? undefined : picture.times[index];
  const time = host.querySelector("time");
  if (time !== null) {
    time.textContent = seconds === undefined ? "" : moment(seconds);
  }
}

function moment(seconds: number): string {
  return `${shown(seconds, Date.now() / 1000)} · ${utc(seconds).slice(11)}`;
}
