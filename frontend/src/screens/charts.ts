/** Which charts there are: their lines, their unit, and the metrics that rules watch in them. */

import type { Line } from "../charts/plot.ts";
import { count, duration, percent, rate, type Format } from "../model/format.ts";
import type { Columns } from "../model/series.ts";

export interface ChartPlan {
  readonly title: string;
  readonly hint: string;
  readonly format: Format;
  readonly least: number;
  readonly most?: number;
  readonly metrics: readonly string[];
  readonly isOfSystem: boolean;
  readonly lines: (columns: Columns) => readonly Line[];
}

const HTTP = "http.server.request";
const DB = "db.client.operation";

export const CHARTS: readonly ChartPlan[] = [
  {
    title: "Requests per second",
    hint: "All requests that were answered",
    format: rate,
    least: 0.1,
    metrics: [`${HTTP}.rate`, `${HTTP}.count`],
    isOfSystem: false,
    lines: ({ requestRate }) => [{ label: "Requests", colour: "--line-1", values: requestRate }],
  },
  {
    title: "Error rate",
    hint: "Requests answered with a status of 500 or more",
    format: percent,
    least: 0.01,
    most: 1,
    metrics: [`${HTTP}.error_rate`, "api_error_rate"],
    isOfSystem: false,
    lines: ({ errorRate }) => [{ label: "Errors", colour: "--line-bad", values: errorRate }],
  },
  {
    title: "Response time",
    hint: "Half, 95 % and 99 % of the requests took no longer than this",
    format: duration,
    least: 0.001,
    metrics: [`${HTTP}.duration`, `${HTTP}.slow_rate`],
    isOfSystem: false,
    lines: ({ p50, p95, p99 }) => [
      { label: "p95", colour: "--line-2", values: p95 },
      { label: "p50", colour: "--line-1", values: p50 },
      { label: "p99", colour: "--line-3", values: p99 },
    ],
  },
  {
    title: "Slow queries",
    hint: "The share of queries that took longer than the threshold",
    format: percent,
    least: 0.01,
    most: 1,
    metrics: [`${DB}.slow_rate`, `${DB}.duration`, "slow_query_rate"],
    isOfSystem: false,
    lines: ({ slowQueryRate }) => [
      { label: "Slow queries", colour: "--line-2", values: slowQueryRate },
    ],
  },
  {
    title: "Cache hit rate",
    hint: "The share of keys looked up in a cache that were found",
    format: percent,
    least: 1,
    most: 1,
    metrics: ["prs.cache.hit_rate"],
    isOfSystem: true,
    lines: ({ cacheHitRate }) => [{ label: "Hits", colour: "--line-4", values: cacheHitRate }],
  },
  {
    title: "Processors",
    hint: "The busiest host",
    format: percent,
    least: 1,
    most: 1,
    metrics: ["system.cpu.utilization", "cpu_percent"],
    isOfSystem: true,
    lines: ({ cpu }) => [{ label: "CPU", colour: "--line-1", values: cpu }],
  },
  {
    title: "Memory",
    hint: "The host with the least free",
    format: percent,
    least: 1,
    most: 1,
    metrics: ["system.memory.utilization", "memory_percent"],
    isOfSystem: true,
    lines: ({ memory }) => [{ label: "Memory", colour: "--line-4", values: memory }],
  },
  {
    title: "Disk",
    hint: "The fullest host",
    format: percent,
    least: 1,
    most: 1,
    metrics: ["system.filesystem.utilization", "disk_percent"],
    isOfSystem: true,
    lines: ({ disk }) => [{ label: "Disk", colour: "--line-3", values: disk }],
  },
  {
    title: "Database connections",
    hint: "Open in all workers together",
    format: count,
    least: 4,
    metrics: ["db.client.connection.count", "database_connections"],
    isOfSystem: true,
    lines: ({ connections }) => [
      { label: "Connections", colour: "--line-2", values: connections },
    ],
  },
];
