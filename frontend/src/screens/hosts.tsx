/** Hosts, workers and caches as they are now, and how the monitor itself does. */

import { Badge } from "../components/badge.tsx";
import { Figures } from "../components/figures.tsx";
import { Notice } from "../components/notice.tsx";
import { Table, type Column } from "../components/table.tsx";
import { Time } from "../components/time.tsx";
import type {
  CacheRow,
  Health,
  HostRow,
  MonitorFigures,
  SystemMetrics,
  Trends,
  WorkerRow,
} from "../model/documents.ts";
import { bytes, count, duration, number, percent, span } from "../model/format.ts";
import { secondsOf } from "../model/times.ts";
import { useMonitoring } from "../runtime/polled.ts";
import { useAsked } from "../runtime/window.ts";
import { useAnnotations } from "./annotations.ts";
import { CHARTS } from "./charts.ts";
import { Answered } from "./samples.tsx";
import { TrendCharts } from "./trend-charts.tsx";

const EVERY = 5;

export function Hosts() {
  const system = useMonitoring<SystemMetrics>("system/metrics/", {}, EVERY);
  const health = useMonitoring<Health>("system/health/", {}, 3 * EVERY);
  return (
    <>
      <h1>Hosts and workers</h1>
      {health.document?.checks
        ?.filter((check) => check.status !== "healthy")
        .map((check) => (
          <Notice
            key={check.name}
            kind={check.status === "unhealthy" ? "critical" : "warning"}
            title={`${check.name}:`}
          >
            {check.detail}
          </Notice>
        ))}
      <Answered polled={system}>
        {(document) => (
          <>
            <Monitor monitor={document.monitor} />
            <SystemCharts />
            <section>
              <h2>Hosts</h2>
              <Table
                caption="Hosts"
                columns={HOSTS}
                rows={document.hosts}
                keyOf={(row) => row.host}
                empty="No host has reported. Are the system metrics switched on?"
              />
            </section>
            <section>
              <h2>Workers</h2>
              <Table
                caption="Workers"
                columns={WORKERS}
                rows={document.workers}
                keyOf={(row) => row.worker}
                orderedBy="sort"
                order="started"
                empty="No process is at work."
              />
            </section>
            {document.caches !== null && (
              <section>
                <h2>Caches, over the last five minutes</h2>
                <Table
                  caption="Caches"
                  columns={CACHES}
                  rows={document.caches}
                  keyOf={(row) => row.alias}
                  empty="No cache was used."
                />
              </section>
            )}
          </>
        )}
      </Answered>
    </>
  );
}

function SystemCharts() {
  const asked = useAsked();
  const trends = useMonitoring<Trends>("performance/trends/", { hours: asked.hours }, asked.every);
  const annotations = useAnnotations(asked);
  return (
    <Answered polled={trends}>
      {(document) => (
        <TrendCharts
          trends={document}
          plans={CHARTS.filter((plan) => plan.isOfSystem)}
          annotations={annotations}
        />
      )}
    </Answered>
  );
}

function Monitor({ monitor }: { readonly monitor: MonitorFigures }) {
  return (
    <>
      <Figures
        items={[
          ["Workers", count(monitor.workers)],
          ["Hosts", count(monitor.hosts)],
          ["Behind by", duration(monitor.flush_lag_seconds)],
          ["Monitor, of a core", percent(monitor.overhead)],
        ]}
      />
      {monitor.dropped + monitor.overflowed > 0 && (
        <Notice kind="warning" title="Not everything was counted.">
          {count(monitor.dropped)} observations were dropped, {count(monitor.overflowed)} were folded
          into <code>__other__</code>.
        </Notice>
      )}
    </>
  );
}

const HOSTS: readonly Column<HostRow>[] = [
  { key: "host", title: "Host", value: (row) => row.host, show: (row) => row.host },
  share("cpu", "CPU", (row) => row.cpu_utilization),
  share("memory", "Memory", (row) => row.memory_utilization),
  share("disk", "Disk", (row) => row.disk_utilization),
  {
    key: "load",
    title: "Load, 1 min",
    isNumber: true,
    value: (row) => row.load_average_1m,
    show: (row) => number(row.load_average_1m),
  },
  {
    key: "time",
    title: "Reported",
    isExtra: true,
    value: (row) => row.time,
    show: (row) => <Time at={row.time} />,
  },
];

function share(
  key: string,
  title: string,
  read: (row: HostRow) => number | null,
): Column<HostRow> {
  return {
    key,
    title,
    isNumber: true,
    value: read,
    show: (row) => (
      <span class="share">
        <meter min={0} max={1} high={0.9} value={read(row) ?? 0} aria-hidden="true" />
        {percent(read(row))}
      </span>
    ),
  };
}

const WORKERS: readonly Column<WorkerRow>[] = [
  {
    key: "pid",
    title: "Process",
    isNumber: true,
    value: (row) => row.pid,
    show: (row) => row.pid,
  },
  { key: "host", title: "Host", isExtra: true, value: (row) => row.host, show: (row) => row.host },
  {
    key: "started",
    title: "Runs for",
    isNumber: true,
    value: (row) => row.started_at,
    show: (row) => (
      <time dateTime={row.started_at} title={row.started_at}>
        {span(secondsOf(row.seen_at) - secondsOf(row.started_at))}
      </time>
    ),
  },
  {
    key: "cpu",
    title: "CPU",
    isNumber: true,
    value: (row) => row.cpu_utilization,
    show: (row) => percent(row.cpu_utilization),
  },
  {
    key: "memory",
    title: "Memory",
    isNumber: true,
    value: (row) => row.memory_usage,
    show: (row) => bytes(row.memory_usage),
  },
  {
    key: "threads",
    title: "Threads",
    isNumber: true,
    isExtra: true,
    value: (row) => row.thread_count,
    show: (row) => count(row.thread_count),
  },
  {
    key: "connections",
    title: "DB connections",
    isNumber: true,
    value: (row) => row.database_connections,
    show: (row) => count(row.database_connections),
  },
  {
    key: "failures",
    title: "Monitor",
    isExtra: true,
    value: (row) => Object.keys(row.failures).length,
    show: (row) => <Failures failures={row.failures} />,
  },
];

function Failures({ failures }: { readonly failures: Readonly<Record<string, number>> }) {
  const found = Object.entries(failures);
  if (found.length === 0) {
    return <Badge kind="ok" />;
  }
  return <span class="bad">{found.map(([place, times]) => `${place} ×${times}`).join(", ")}</span>;
}

const CACHES: readonly Column<CacheRow>[] = [
  { key: "alias", title: "Cache", value: (row) => row.alias, show: (row) => row.alias },
  {
    key: "rate",
    title: "Hit rate",
    isNumber: true,
    value: (row) => row.hit_rate,
    show: (row) => percent(row.hit_rate),
  },
  {
    key: "operations",
    title: "Calls",
    isNumber: true,
    value: (row) => row.operation_count,
    show: (row) => count(row.operation_count),
  },
  {
    key: "p95",
    title: "p95",
    isNumber: true,
    value: (row) => row.duration.p95,
    show: (row) => duration(row.duration.p95),
  },
  {
    key: "memory",
    title: "Memory",
    isNumber: true,
    isExtra: true,
    value: (row) => row.memory_usage,
    show: (row) => bytes(row.memory_usage),
  },
  {
    key: "items",
    title: "Items",
    isNumber: true,
    isExtra: true,
    value: (row) => row.item_count,
    show: (row) => count(row.item_count),
  },
];
