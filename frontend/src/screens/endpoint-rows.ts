/** All endpoints: the API gives a thousand at a time, and there may be two thousand. */

import { useMemo } from "preact/hooks";
import type { ApiMetrics, EndpointRow } from "../model/documents.ts";
import { useMonitoring, type Polled } from "../runtime/polled.ts";
import type { Asked } from "../runtime/window.ts";

const PAGE = 1000;

export interface EndpointRows {
  readonly first: Polled<ApiMetrics>;
  readonly rows: readonly EndpointRow[];
}

export function useEndpointRows({ hours, tableEvery }: Asked): EndpointRows {
  const first = useMonitoring<ApiMetrics>("api/metrics/", { hours, limit: PAGE }, tableEvery);
  const hasMore = (first.document?.endpoint_count ?? 0) > PAGE;
  const second = useMonitoring<ApiMetrics>(
    hasMore ? "api/metrics/" : null,
    { hours, limit: PAGE, offset: PAGE },
    2 * tableEvery,
  );
  const [one, other] = [first.document?.endpoints, second.document?.endpoints];
  const rows = useMemo(() => [...(one ?? []), ...(hasMore ? (other ?? []) : [])], [one, other, hasMore]);
  return { first, rows };
}
