/** One statement: its text, who runs it, from where, and its slowest runs. */

import { Code } from "../components/code.tsx";
import { Figures } from "../components/figures.tsx";
import { ScreenLink } from "../components/link.tsx";
import { Notice } from "../components/notice.tsx";
import { Table, type Column } from "../components/table.tsx";
import { callSitesOf, type CallSite } from "../model/call-sites.ts";
import type { DatabaseMetrics, Samples, SlowQuery, StatementRow } from "../model/documents.ts";
import { count, duration, percent } from "../model/format.ts";
import { lines } from "../model/sql.ts";
import { useMonitoring } from "../runtime/polled.ts";
import { useRoute } from "../runtime/router.ts";
import { useAsked } from "../runtime/window.ts";
import { RepeatedStatements } from "./contributors.tsx";
import { Answered, SlowQueries } from "./samples.tsx";

const MOST = 1000;
const SAMPLES = 100;

export function Query() {
  const { details } = useRoute();
  const fingerprint = details["fingerprint"] ?? "";
  const { hours, tableEvery } = useAsked();
  const database = useMonitoring<DatabaseMetrics>(
    "database/metrics/",
    { hours, limit: MOST, fingerprint },
    tableEvery,
  );
  return (
    <>
      <p class="trail">
        <ScreenLink screen="queries">Queries</ScreenLink> ›
      </p>
      <h1>
        Query <code>{fingerprint}</code>
      </h1>
      <Answered polled={database}>
        {(document) => {
          const row = document.fingerprints.find((each) => each.fingerprint === fingerprint);
          const findings = document.n_plus_one.filter((each) => each.fingerprint === fingerprint);
          return (
            <>
              {row ? <Statement row={row} /> : <Notice>It was not run in this window.</Notice>}
              {findings.length > 0 && (
                <section>
                  <h2>Repeated within one request</h2>
                  <RepeatedStatements rows={findings} />
                </section>
              )}
              <CallSites fingerprint={fingerprint} findings={findings} />
            </>
          );
        }}
      </Answered>
      <SlowQueries about={{ fingerprint }} />
    </>
  );
}

function Statement({ row }: { readonly row: StatementRow }) {
  return (
    <>
      <pre class="sql" tabIndex={0} aria-label="SQL">
        {lines(row.query)}
      </pre>
      <Figures
        items={[
          ["Runs", count(row.count)],
          ["Of the time", percent(row.time_share)],
          ["Time in all", duration(row.total_duration)],
          ["Slow", `${count(row.slow_count)} (${percent(row.slow_rate)})`],
          ["Errors", `${count(row.error_count)} (${percent(row.error_rate)})`],
          ["p50", duration(row.duration.p50)],
          ["p95", duration(row.duration.p95)],
          ["p99", duration(row.duration.p99)],
          ["Longest", duration(row.duration.max)],
          ["Databases", row.aliases.join(", ")],
        ]}
      />
      <section>
        <h2>Run by</h2>
        <Table
          caption="Endpoints that run this statement"
          columns={ENDPOINTS}
          rows={row.endpoints}
          keyOf={(each) => each.endpoint}
          empty="No request ran it: it belongs to a command or a task."
        />
        {row.endpoint_count > row.endpoints.length && (
          <p class="muted">
            These are {row.endpoints.length} of {row.endpoint_count} endpoints.
          </p>
        )}
      </section>
    </>
  );
}

interface CallSitesProps {
  readonly fingerprint: string;
  readonly findings: DatabaseMetrics["n_plus_one"];
}

function CallSites({ fingerprint, findings }: CallSitesProps) {
  const { hours, tableEvery } = useAsked();
  const samples = useMonitoring<Samples<SlowQuery>>(
    "database/slow-queries/",
    { hours, limit: SAMPLES, fingerprint },
    tableEvery,
  );
  const own = samples.document?.items.filter((each) => each.fingerprint === fingerprint) ?? [];
  const sites = callSitesOf(own, findings);
  if (sites.length === 0) {
    return null;
  }
  return (
    <section>
      <h2>Called from</h2>
      <Table
        caption="Lines of code that run this statement"
        columns={SITES}
        rows={sites}
        keyOf={({ code }) => `${code.file}:${code.line} ${code.function}`}
      />
    </section>
  );
}

const SITES: readonly Column<CallSite>[] = [
  {
    key: "code",
    title: "Line of code",
    value: ({ code }) => code.file,
    show: ({ code }) => <Code code={code} />,
  },
  {
    key: "samples",
    title: "Slow runs",
    hint: "Among the slowest that were kept",
    isNumber: true,
    value: (site) => site.sampleCount,
    show: (site) => count(site.sampleCount),
  },
  {
    key: "repeats",
    title: "Repeats",
    isNumber: true,
    value: (site) => site.repeatCount,
    show: (site) => (site.repeatCount > 0 ? count(site.repeatCount) : "–"),
  },
];

const ENDPOINTS: readonly Column<StatementRow["endpoints"][number]>[] = [
  {
    key: "endpoint",
    title: "Endpoint",
    value: (row) => row.endpoint,
    show: (row) => (
      <ScreenLink screen="endpoint" details={{ endpoint: row.endpoint }}>
        {row.endpoint}
      </ScreenLink>
    ),
  },
  {
    key: "requests",
    title: "Requests",
    isNumber: true,
    value: (row) => row.request_count,
    show: (row) => count(row.request_count),
  },
  {
    key: "runs",
    title: "Runs",
    isNumber: true,
    value: (row) => row.count,
    show: (row) => count(row.count),
  },
  {
    key: "time",
    title: "Time in all",
    isNumber: true,
    value: (row) => row.total_duration,
    show: (row) => duration(row.total_duration),
  },
];
