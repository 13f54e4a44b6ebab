/** All endpoints, the heaviest first. */

import { Sparkline } from "../charts/sparkline.tsx";
import { Table, type Column } from "../components/table.tsx";
import type { EndpointRow } from "../model/documents.ts";
import { count, duration, percent } from "../model/format.ts";
import { useAsked } from "../runtime/window.ts";
import { EndpointLink, ErrorRate } from "../components/subjects.tsx";
import { Coverage } from "./coverage.tsx";
import { useEndpointRows } from "./endpoint-rows.ts";
import { Answered } from "./samples.tsx";
import { useSparklines, type Sparklines } from "./sparklines.ts";

export function Endpoints() {
  const asked = useAsked();
  const { first, rows } = useEndpointRows(asked);
  const sparklines = useSparklines(asked);
  return (
    <>
      <h1>Endpoints</h1>
      <Answered polled={first}>
        {(document) => (
          <>
            <Coverage window={document.window} />
            <Table
              caption="Endpoints"
              columns={columnsWith(sparklines)}
              rows={rows}
              keyOf={keyOf}
              textOf={keyOf}
              orderedBy="sort"
              order="-time"
              empty="No endpoint was asked for in this window."
            />
          </>
        )}
      </Answered>
    </>
  );
}

function keyOf(row: EndpointRow): string {
  return `${row.method} ${row.endpoint}`;
}

function columnsWith(sparklines: Sparklines): readonly Column<EndpointRow>[] {
  const trend: Column<EndpointRow> = {
    key: "trend",
    title: "Trend",
    hint: "Requests over the window",
    isExtra: true,
    value: () => null,
    show: (row) => <Sparkline values={sparklines(row) ?? []} label="Requests over the window" />,
  };
  return [...COLUMNS.slice(0, 1), trend, ...COLUMNS.slice(1)];
}

const COLUMNS: readonly Column<EndpointRow>[] = [
  {
    key: "endpoint",
    title: "Endpoint",
    value: (row) => row.endpoint,
    show: (row) => <EndpointLink row={row} />,
  },
  {
    key: "count",
    title: "Requests",
    isNumber: true,
    value: (row) => row.count,
    show: (row) => count(row.count),
  },
  {
    key: "errors",
    title: "Errors",
    isNumber: true,
    value: (row) => row.error_rate,
    show: (row) => <ErrorRate rate={row.error_rate} />,
  },
  {
    key: "time",
    title: "Time in all",
    hint: "How long all of its requests took together",
    isNumber: true,
    isExtra: true,
    value: (row) => row.count * row.duration.mean,
    show: (row) => duration(row.count * row.duration.mean),
  },
  {
    key: "p50",
    title: "p50",
    isNumber: true,
    isExtra: true,
    value: (row) => row.duration.p50,
    show: (row) => duration(row.duration.p50),
  },
  {
    key: "p95",
    title: "p95",
    isNumber: true,
    value: (row) => row.duration.p95,
    show: (row) => duration(row.duration.p95),
  },
  {
    key: "p99",
    title: "p99",
    isNumber: true,
    isExtra: true,
    value: (row) => row.duration.p99,
    show: (row) => duration(row.duration.p99),
  },
  {
    key: "slow",
    title: "Slow",
    hint: "The share of requests over the threshold",
    isNumber: true,
    isExtra: true,
    value: (row) => row.slow_rate,
    show: (row) => percent(row.slow_rate),
  },
  {
    key: "queries",
    title: "Queries each",
    isNumber: true,
    isExtra: true,
    value: (row) => row.queries_per_request,
    show: (row) => row.queries_per_request.toFixed(1),
  },
  {
    key: "database",
    title: "In database",
    hint: "The part of its time that queries took",
    isNumber: true,
    isExtra: true,
    value: (row) => row.database_share,
    show: (row) => percent(row.database_share),
  },
];
