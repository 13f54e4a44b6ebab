/** What takes the time: the heaviest endpoints and statements, and what is repeated. */

import { Code } from "../components/code.tsx";
import { EndpointLink, ErrorRate, StatementLink } from "../components/subjects.tsx";
import { Table, type Column } from "../components/table.tsx";
import type {
  ApiMetrics,
  DatabaseMetrics,
  EndpointRow,
  RepeatedStatement,
  StatementRow,
} from "../model/documents.ts";
import { count, duration, percent } from "../model/format.ts";
import { useMonitoring } from "../runtime/polled.ts";
import { useAsked } from "../runtime/window.ts";
import { Answered } from "./samples.tsx";

const SHOWN = 6;

export function Contributors() {
  const { hours, tableEvery } = useAsked();
  const calls = useMonitoring<ApiMetrics>("api/metrics/", { hours, limit: SHOWN }, tableEvery);
  const database = useMonitoring<DatabaseMetrics>(
    "database/metrics/",
    { hours, limit: SHOWN },
    tableEvery,
  );
  return (
    <>
      <div class="columns">
        <section>
          <h2>Endpoints that take the most time</h2>
          <Answered polled={calls}>
            {(document) => (
              <Table
                caption="Endpoints that take the most time"
                columns={ENDPOINTS}
                rows={document.endpoints}
                keyOf={(row) => `${row.method} ${row.endpoint}`}
                empty="No request in this window."
              />
            )}
          </Answered>
        </section>
        <section>
          <h2>Queries that take the most time</h2>
          <Answered polled={database}>
            {(document) => (
              <Table
                caption="Queries that take the most time"
                columns={STATEMENTS}
                rows={document.fingerprints}
                keyOf={(row) => row.fingerprint}
                empty="No query in this window."
              />
            )}
          </Answered>
        </section>
      </div>
      {database.document !== undefined && database.document.n_plus_one.length > 0 && (
        <section>
          <h2>Queries repeated within one request</h2>
          <RepeatedStatements rows={database.document.n_plus_one.slice(0, SHOWN)} />
        </section>
      )}
    </>
  );
}

export function RepeatedStatements({ rows }: { readonly rows: readonly RepeatedStatement[] }) {
  return (
    <Table
      caption="Queries repeated within one request"
      columns={REPEATED}
      rows={rows}
      keyOf={(row) => `${row.fingerprint} ${row.endpoint} ${row.task}`}
      empty="No query was repeated within one request."
    />
  );
}

const ENDPOINTS: readonly Column<EndpointRow>[] = [
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
    key: "p95",
    title: "p95",
    isNumber: true,
    value: (row) => row.duration.p95,
    show: (row) => duration(row.duration.p95),
  },
  {
    key: "database",
    title: "In database",
    isNumber: true,
    isExtra: true,
    value: (row) => row.database_share,
    show: (row) => percent(row.database_share),
  },
];

const STATEMENTS: readonly Column<StatementRow>[] = [
  {
    key: "query",
    title: "Query",
    isText: true,
    value: (row) => row.query,
    show: (row) => <StatementLink row={row} />,
  },
  {
    key: "share",
    title: "Of the time",
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
    key: "p95",
    title: "p95",
    isNumber: true,
    value: (row) => row.duration.p95,
    show: (row) => duration(row.duration.p95),
  },
];

const REPEATED: readonly Column<RepeatedStatement>[] = [
  {
    key: "query",
    title: "Query",
    isText: true,
    value: (row) => row.query,
    show: (row) => <StatementLink row={row} />,
  },
  {
    key: "by",
    title: "By",
    value: (row) => row.endpoint ?? row.task,
    show: (row) => row.endpoint ?? row.task ?? "–",
  },
  {
    key: "code",
    title: "Called from",
    value: (row) => row.code?.file ?? null,
    show: (row) => (row.code === null ? "–" : <Code code={row.code} />),
  },
  {
    key: "repeats",
    title: "Repeats",
    hint: "How often it ran within these requests altogether",
    isNumber: true,
    value: (row) => row.repeat_count,
    show: (row) => `${count(row.repeat_count)} in ${count(row.count)}`,
  },
];
