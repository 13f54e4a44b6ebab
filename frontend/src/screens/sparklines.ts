/** What each endpoint was asked over the window, small enough to stand beside its name. */

import { useMemo } from "preact/hooks";
import type { EndpointTrends } from "../model/documents.ts";
import { useMonitoring } from "../runtime/polled.ts";
import type { Asked } from "../runtime/window.ts";

export type Sparklines = (row: {
  readonly endpoint: string;
  readonly method: string;
}) => readonly (number | null)[] | null;

/** Where any of the series begins: all are drawn from there, like the charts. */
export function firstKnown(columns: readonly (readonly (number | null)[])[]): number {
  const [first = []] = columns;
  return first.findIndex((_, index) => columns.some((column) => column[index] !== null));
}

// The heaviest ones; whoever sorts by something else sees fewer.
const MOST = 200;

export function useSparklines({ hours, tableEvery }: Asked): Sparklines {
  const { document } = useMonitoring<EndpointTrends>(
    "api/trends/",
    { hours, limit: MOST },
    2 * tableEvery,
  );
  return useMemo(() => {
    const items = document?.items ?? [];
    const begin = Math.max(firstKnown(items.map((item) => item.counts)), 0);
    const known = new Map(
      items.map((item) => [`${item.method} ${item.endpoint}`, item.counts.slice(begin)]),
    );
    return ({ endpoint, method }) => known.get(`${method} ${endpoint}`) ?? null;
  }, [document]);
}
