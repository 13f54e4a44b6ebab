/** A heat map as numbers: which cells there are, and how warm each is. */

export interface HeatMap {
  readonly times: readonly number[];
  readonly step: number;
  /** The edges of the bands, one more than there are bands. */
  readonly bounds: readonly number[];
  readonly columns: readonly (readonly number[] | null)[];
}

export interface HeatCell {
  readonly from: number;
  readonly band: number;
  /** From a little above 0 to 1: by the root, so that what is rare is seen beside what is not. */
  readonly warmth: number;
}

export function cellsOf({ times, columns }: HeatMap): HeatCell[] {
  const highest = Math.max(1, ...columns.flatMap((counts) => counts ?? []));
  return columns.flatMap((counts, index) => {
    const from = times[index];
    if (counts === null || from === undefined) {
      return [];
    }
    return counts.flatMap((count, band) =>
      count === 0 ? [] : [{ from, band, warmth: Math.sqrt(count / highest) }],
    );
  });
}

/** What a cell says: its band, and how many requests fell into it. */
export function cellAt(
  map: HeatMap,
  seconds: number,
  level: number,
): { readonly from: number; readonly until: number; readonly count: number } | null {
  const index = map.times.findLastIndex((time) => time <= seconds);
  const band = Math.floor(level);
  const [from, until] = [map.bounds[band], map.bounds[band + 1]];
  const count = map.columns[index]?.[band];
  return from === undefined || until === undefined || count === undefined
    ? null
    : { from, until, count };
}
