/** Organisations and users: who asks how much, and whom it is slow or broken for. */

import { ScreenLink } from "../components/link.tsx";
import { Notice, ProblemNotice, Waiting } from "../components/notice.tsx";
import { Table, type Column } from "../components/table.tsx";
import type { ApiMetrics, CallFigures, OrganizationRow, Trends, UserRow } from "../model/documents.ts";
import { count, duration, percent } from "../model/format.ts";
import { useMonitoring } from "../runtime/polled.ts";
import { useRoute } from "../runtime/router.ts";
import { useAsked } from "../runtime/window.ts";
import { useAnnotations } from "./annotations.ts";
import { CHARTS } from "./charts.ts";
import { ErrorRate } from "../components/subjects.tsx";
import { Coverage } from "./coverage.tsx";
import { LatencyHeatMap } from "./latency.tsx";
import { Answered, SlowCalls, SlowQueries } from "./samples.tsx";
import { TrendCharts } from "./trend-charts.tsx";

const MOST = 1000;

export function Tenants() {
  const { details } = useRoute();
  const organization = details["organization"];
  return organization === undefined ? <Everybody /> : <Organization id={organization} />;
}

function Everybody() {
  const { hours, tableEvery } = useAsked();
  const calls = useMonitoring<ApiMetrics>("api/metrics/", { hours, limit: MOST }, tableEvery);
  return (
    <>
      <h1>Organisations and users</h1>
      <Answered polled={calls}>
        {({ window, organizations, users }) => (
          <>
            <Coverage window={window} />
            <div class="columns">
              <section>
                <h2>Organisations</h2>
                {organizations === null ? (
                  <Notice>
                    Requests are not counted by organisation; <code>TENANT_RESOLVER</code> says whose
                    a request is.
                  </Notice>
                ) : (
                  <Table
                    caption="Organisations"
                    columns={[ORGANIZATION, ...figuresOf<OrganizationRow>()]}
                    rows={organizations}
                    keyOf={(row) => String(row.organization_id)}
                    textOf={(row) => row.organization_id ?? "none"}
                    orderedBy="sort"
                    order="-count"
                  />
                )}
              </section>
              <section>
                <h2>Users</h2>
                {users === null ? (
                  <Notice>Requests are not counted by user.</Notice>
                ) : (
                  <Table
                    caption="Users"
                    columns={[USER, ...figuresOf<UserRow>()]}
                    rows={users}
                    keyOf={(row) => String(row.user_id)}
                    orderedBy="users"
                    order="-count"
                  />
                )}
              </section>
            </div>
          </>
        )}
      </Answered>
    </>
  );
}

function Organization({ id }: { readonly id: string }) {
  const asked = useAsked();
  const trends = useMonitoring<Trends>(
    "performance/trends/",
    { hours: asked.hours, organization_id: id },
    asked.every,
  );
  const annotations = useAnnotations(asked);
  return (
    <>
      <p class="trail">
        <ScreenLink screen="tenants">Organisations</ScreenLink> ›
      </p>
      <h1>Organisation {id}</h1>
      {trends.document === undefined && trends.problem && <ProblemNotice problem={trends.problem} />}
      {trends.document === undefined && !trends.problem && <Waiting lines={12} />}
      {trends.document && (
        <>
          <Coverage window={trends.document.window} />
          {!trends.document.is_covered && (
            <Notice>
              Not all of it may be known: there were too many organisations to count each apart.
            </Notice>
          )}
          <TrendCharts
            trends={trends.document}
            plans={CHARTS.filter((plan) => !plan.isOfSystem)}
            annotations={annotations}
          />
        </>
      )}
      <LatencyHeatMap organization={id} asked={asked} />
      <SlowCalls about={{ organization: id }} />
      <SlowQueries about={{ organization: id }} />
    </>
  );
}

const ORGANIZATION: Column<OrganizationRow> = {
  key: "organization",
  title: "Organisation",
  value: (row) => row.organization_id,
  show: ({ organization_id: id }) =>
    id === null || id === "__other__" ? (
      <span class="muted">{id ?? "none"}</span>
    ) : (
      <ScreenLink screen="tenants" details={{ organization: id }}>
        {id}
      </ScreenLink>
    ),
};

const USER: Column<UserRow> = {
  key: "user",
  title: "User",
  value: (row) => row.user_id,
  show: (row) => row.user_id ?? <span class="muted">nobody signed in</span>,
};

function figuresOf<Row extends CallFigures>(): readonly Column<Row>[] {
  return [
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
      key: "slow",
      title: "Slow",
      isNumber: true,
      isExtra: true,
      value: (row) => row.slow_rate,
      show: (row) => percent(row.slow_rate),
    },
    {
      key: "p95",
      title: "p95",
      isNumber: true,
      value: (row) => row.duration.p95,
      show: (row) => duration(row.duration.p95),
    },
  ];
}
