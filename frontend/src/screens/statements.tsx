/** Statements in a table: all of them, or what one endpoint runs. */

import { Table, type Column } from "../components/table.tsx";
import type { StatementRow } from "../model/documents.ts";
import { count, duration, percent } from "../model/format.ts";
import { ErrorRate, StatementLink } from "../components/subjects.tsx";

interface StatementTableProps {
  readonly caption: string;
  readonly rows: readonly StatementRow[];
  /** Whose runs are counted; without it all are. */
  readonly endpoint?: string;
}

export function StatementTable({ caption, rows, endpoint }: StatementTableProps) {
  return (
    <Table
      caption={caption}
      columns={endpoint === undefined ? COLUMNS : columnsWithin(endpoint)}
      rows={rows}
      keyOf={(row) => row.fingerprint}
      {...(endpoint === undefined ? { textOf: (row: StatementRow) => row.query } : {})}
      orderedBy="sort"
      order="-time"
      empty="No query in this window."
    />
  );
}

const STATEMENT: Column<StatementRow> = {
  key: "query",
  title: "Query",
  isText: true,
  value: (row) => row.query,
  show: (row) => <StatementLink row={row} />,
};

const TIMES: readonly Column<StatementRow>[] = [
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
    key: "max",
    title: "Longest",
    isNumber: true,
    isExtra: true,
    value: (row) => row.duration.max,
    show: (row) => duration(row.duration.max),
  },
];

const COLUMNS: readonly Column<StatementRow>[] = [
  STATEMENT,
  {
    key: "time",
    title: "Of the time",
    hint: "Its part of the time that all queries took",
    isNumber: true,
    value: (row) => row.time_share,
    show: (row) => percent(row.time_share),
  },
  {
    key: "count",
    title: "Runs",
    isNumber: true,
    value: (row) => row.count,
    show: (row) => count(row.count),
  },
  {
    key: "slow",
    title: "Slow",
    isNumber: true,
    isExtra: true,
    value: (row) => row.slow_count,
    show: (row) => count(row.slow_count),
  },
  {
    key: "errors",
    title: "Errors",
    isNumber: true,
    isExtra: true,
    value: (row) => row.error_rate,
    show: (row) => <ErrorRate rate={row.error_rate} />,
  },
  ...TIMES,
  {
    key: "repeated",
    title: "Repeated in",
    hint: "Requests that ran it again and again",
    isNumber: true,
    isExtra: true,
    value: (row) => row.n_plus_one_count,
    show: (row) => (row.n_plus_one_count > 0 ? count(row.n_plus_one_count) : "–"),
  },
  {
    key: "databases",
    title: "Databases",
    isExtra: true,
    value: (row) => row.aliases.join(", "),
    show: (row) => row.aliases.join(", "),
  },
];

function columnsWithin(endpoint: string): readonly Column<StatementRow>[] {
  const part = (row: StatementRow) => row.endpoints.find((each) => each.endpoint === endpoint);
  return [
    STATEMENT,
    {
      key: "time",
      title: "Time in all",
      isNumber: true,
      value: (row) => part(row)?.total_duration ?? null,
      show: (row) => duration(part(row)?.total_duration),
    },
    {
      key: "count",
      title: "Runs",
      isNumber: true,
      value: (row) => part(row)?.count ?? null,
      show: (row) => count(part(row)?.count),
    },
    {
      key: "each",
      title: "Per request",
      isNumber: true,
      value: (row) => perRequest(part(row)),
      show: (row) => perRequest(part(row))?.toFixed(1) ?? "–",
    },
    ...TIMES,
  ];
}

function perRequest(part: StatementRow["endpoints"][number] | undefined): number | null {
  return part === undefined || part.request_count === 0 ? null : part.count / part.request_count;
}
