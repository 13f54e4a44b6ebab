/** One endpoint: how it does, what it asks of the database, and its slowest requests. */

import { Figures } from "../components/figures.tsx";
import { Notice, ProblemNotice, Waiting } from "../components/notice.tsx";
import { ScreenLink } from "../components/link.tsx";
import type { ApiMetrics, DatabaseMetrics, EndpointRow, Trends } from "../model/documents.ts";
import { count, duration, percent } from "../model/format.ts";
import { useApi, useMonitoring } from "../runtime/polled.ts";
import { useRoute } from "../runtime/router.ts";
import { useAsked, type Asked } from "../runtime/window.ts";
import { useAnnotations } from "./annotations.ts";
import { CHARTS } from "./charts.ts";
import { RepeatedStatements } from "./contributors.tsx";
import { Coverage } from "./coverage.tsx";
import { LatencyHeatMap } from "./latency.tsx";
import { Answered, SlowCalls, SlowQueries } from "./samples.tsx";
import { StatementTable } from "./statements.tsx";
import { TrendCharts } from "./trend-charts.tsx";

const PLANS = CHARTS.filter((plan) =>
  ["Requests per second", "Error rate", "Response time"].includes(plan.title),
);
const MOST = 1000;

export function Endpoint() {
  const { page } = useApi();
  const { details } = useRoute();
  const endpoint = details["endpoint"] ?? "";
  const method = details["method"] ?? "";
  const asked = useAsked();
  const about = { hours: asked.hours, endpoint };
  const trends = useMonitoring<Trends>("performance/trends/", about, asked.every);
  const annotations = useAnnotations(asked, endpoint);
  return (
    <>
      <p class="trail">
        <ScreenLink screen="endpoints">Endpoints</ScreenLink> ›
      </p>
      <h1>
        <span class="muted">{method}</span> {endpoint}
      </h1>
      {page.role === "staff" && <EndpointFigures endpoint={endpoint} method={method} asked={asked} />}
      {trends.document === undefined && trends.problem && <ProblemNotice problem={trends.problem} />}
      {trends.document === undefined && !trends.problem && <Waiting lines={12} />}
      {trends.document && (
        <>
          <Coverage window={trends.document.window} />
          {!trends.document.is_covered && (
            <Notice>
              Some of its requests may be among those of <code>__other__</code>: there were too many
              endpoints to count each.
            </Notice>
          )}
          <TrendCharts trends={trends.document} plans={PLANS} annotations={annotations} />
        </>
      )}
      <LatencyHeatMap endpoint={endpoint} asked={asked} />
      {page.role === "staff" && <EndpointStatements endpoint={endpoint} asked={asked} />}
      <SlowCalls about={{ endpoint }} />
      <SlowQueries about={{ endpoint }} />
    </>
  );
}

interface AboutEndpoint {
  readonly endpoint: string;
  readonly method: string;
  readonly asked: Asked;
}

function EndpointFigures({ endpoint, method, asked }: AboutEndpoint) {
  const calls = useMonitoring<ApiMetrics>(
    "api/metrics/",
    { hours: asked.hours, limit: MOST, endpoint },
    asked.tableEvery,
  );
  return (
    <Answered polled={calls}>
      {(document) => {
        const row = document.endpoints.find(
          (each) => each.endpoint === endpoint && (method === "" || each.method === method),
        );
        return row ? <RowFigures row={row} /> : <Notice>Nobody asked for it in this window.</Notice>;
      }}
    </Answered>
  );
}

function RowFigures({ row }: { readonly row: EndpointRow }) {
  const { status_classes: by } = row;
  return (
    <Figures
      items={[
        ["Requests", count(row.count)],
        ["Errors", `${count(row.error_count)} (${percent(row.error_rate)})`],
        ["Slow", `${count(row.slow_count)} (${percent(row.slow_rate)})`],
        ["p50", duration(row.duration.p50)],
        ["p95", duration(row.duration.p95)],
        ["p99", duration(row.duration.p99)],
        ["Longest", duration(row.duration.max)],
        ["Queries each", row.queries_per_request.toFixed(1)],
        ["In database", percent(row.database_share)],
        ["2xx · 3xx", `${count(by.success)} · ${count(by.redirection)}`],
        ["4xx · 5xx", `${count(by.client_error)} · ${count(by.server_error)}`],
      ]}
    />
  );
}

function EndpointStatements({ endpoint, asked }: Omit<AboutEndpoint, "method">) {
  const database = useMonitoring<DatabaseMetrics>(
    "database/metrics/",
    { hours: asked.hours, limit: MOST, endpoint },
    asked.tableEvery,
  );
  return (
    <section>
      <h2>Its queries</h2>
      <Answered polled={database}>
        {(document) => {
          const repeated = document.n_plus_one.filter((each) => each.endpoint === endpoint);
          return (
            <>
              {repeated.length > 0 && <RepeatedStatements rows={repeated} />}
              <StatementTable
                caption="Queries of this endpoint"
                endpoint={endpoint}
                rows={document.fingerprints.filter((row) =>
                  row.endpoints.some((each) => each.endpoint === endpoint),
                )}
              />
            </>
          );
        }}
      </Answered>
    </section>
  );
}
