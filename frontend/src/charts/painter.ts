/** Draw marks on a plot: alerts behind the lines, thresholds and deploys over them. */

import type uPlot from "uplot";
import type { Marks } from "../model/marks.ts";

export interface Palette {
  colour(name: string): string;
}

const STRIP = 4;
const DASHES = [4, 4];

export function severityColour(severity: string): string {
  if (severity === "critical" || severity === "error") {
    return "--critical";
  }
  return severity === "warning" ? "--warning" : "--info";
}

/** Bands of alerts: filled where they are about this chart, a strip at the top elsewhere. */
export function paintBands(plot: uPlot, marks: Marks, isAbout: boolean, palette: Palette): void {
  const { ctx, bbox } = plot;
  ctx.save();
  clip(plot);
  for (const band of marks.bands) {
    const left = plot.valToPos(band.from, "x", true);
    const right = Math.max(plot.valToPos(band.until, "x", true), left + 2);
    ctx.fillStyle = palette.colour(severityColour(band.severity));
    ctx.globalAlpha = isAbout ? 0.14 : 0;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.globalAlpha = isAbout ? 0.9 : 0.35;
    ctx.fillRect(left, bbox.top, right - left, STRIP);
  }
  ctx.restore();
}

export function paintLines(plot: uPlot, marks: Marks, palette: Palette): void {
  const { ctx, bbox } = plot;
  ctx.save();
  clip(plot);
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash(DASHES.map((dash) => dash * devicePixelRatio));
  for (const threshold of marks.thresholds) {
    const y = plot.valToPos(threshold.value, "y", true);
    ctx.strokeStyle = palette.colour(severityColour(threshold.severity));
    stroke(ctx, bbox.left, y, bbox.left + bbox.width, y);
  }
  ctx.strokeStyle = palette.colour("--deploy");
  ctx.fillStyle = palette.colour("--deploy");
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  for (const deploy of marks.deploys) {
    const x = plot.valToPos(deploy.at, "x", true);
    stroke(ctx, x, bbox.top, x, bbox.top + bbox.height);
    ctx.fillText(deploy.label, x + 4, bbox.top + 16 * devicePixelRatio);
  }
  ctx.restore();
}

function clip({ ctx, bbox }: uPlot): void {
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
}

function stroke(
  ctx: CanvasRenderingContext2D,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): void {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}
