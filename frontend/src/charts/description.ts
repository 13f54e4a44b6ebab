/** A chart in words, for who does not see it. */

import type { Picture } from "./plot.ts";

export function describe(picture: Picture): string {
  const parts = picture.lines.map((line) => {
    const known = line.values.filter((value): value is number => value !== null);
    if (known.length === 0) {
      return `${line.label}: nothing measured`;
    }
    const { format } = picture;
    const [low, high] = [Math.min(...known), Math.max(...known)];
    return `${line.label}: latest ${format(known.at(-1))}, from ${format(low)} to ${format(high)}`;
  });
  const { bands, deploys } = picture.marks;
  if (picture.isAboutAlerts && bands.length > 0) {
    parts.push(`${bands.length} alerts: ${[...new Set(bands.map((band) => band.name))].join(", ")}`);
  }
  if (deploys.length > 0) {
    parts.push(`deploys: ${deploys.map((deploy) => deploy.label).join(", ")}`);
  }
  return `${parts.join(". ")}. Plus and minus zoom, the arrows move, Escape shows all.`;
}
