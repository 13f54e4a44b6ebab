/** How far the axis of values goes. */

/** Return the upper end of an axis for values up to `highest`, a little above it. */
export function ceiling(highest: number, least: number): number {
  const needed = Math.max(highest * 1.08, least);
  const power = 10 ** Math.floor(Math.log10(needed));
  const steps = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
  return power * (steps.find((step) => step * power >= needed) ?? 10);
}

/** The highest value within a stretch of time. */
export function highestWithin(
  times: readonly number[],
  columns: readonly (readonly (number | null)[])[],
  from: number,
  until: number,
): number {
  let highest = 0;
  times.forEach((time, index) => {
    if (time < from || time > until) {
      return;
    }
    for (const column of columns) {
      highest = Math.max(highest, column[index] ?? 0);
    }
  });
  return highest;
}
