/** A trend as the columns of charts. */

import type { TrendPoint, Trends } from "./documents.ts";
import { secondsOf } from "./times.ts";

export type Column = readonly (number | null)[];

export interface Columns {
  readonly times: readonly number[];
  readonly requestRate: Column;
  readonly errorRate: Column;
  readonly p50: Column;
  readonly p95: Column;
  readonly p99: Column;
  readonly slowQueryRate: Column;
  readonly queryRate: Column;
  readonly cacheHitRate: Column;
  readonly cpu: Column;
  readonly memory: Column;
  readonly disk: Column;
  readonly connections: Column;
}

// Of less time than this a rate would be noise.
const LEAST_SECONDS = 1;

export function columnsOf(trends: Trends): Columns {
  const points = settled(trends);
  const column = (read: (point: TrendPoint) => number | null | undefined): Column =>
    points.map((point) => read(point) ?? null);
  return {
    times: points.map((point) => secondsOf(point.time)),
    requestRate: column((point) => perSecond(point.requests.count, point)),
    errorRate: column((point) => point.requests.error_rate),
    p50: column((point) => point.requests.p50),
    p95: column((point) => point.requests.p95),
    p99: column((point) => point.requests.p99),
    slowQueryRate: column((point) => point.queries.slow_rate),
    queryRate: column((point) => perSecond(point.queries.count, point)),
    cacheHitRate: column((point) => point.cache.hit_rate),
    cpu: column((point) => point.system.cpu_utilization),
    memory: column((point) => point.system.memory_utilization),
    disk: column((point) => point.system.disk_utilization),
    connections: column((point) => point.system.database_connections),
  };
}

export function latest(column: Column): number | null {
  return column.findLast((value) => value !== null) ?? null;
}

/** Whether anything was ever measured. */
export function hasAny(column: Column): boolean {
  return column.some((value) => value !== null);
}

/** The points without the last one while it has hardly begun: what it says is chance. */
function settled({ points, step }: Trends): readonly TrendPoint[] {
  const last = points.at(-1);
  const hasBegun = last === undefined || last.covered_seconds >= step / 2;
  return hasBegun || points.length === 1 ? points : points.slice(0, -1);
}

function perSecond(count: number | null, point: TrendPoint): number | null {
  const seconds = point.covered_seconds;
  return count === null || seconds < LEAST_SECONDS ? null : count / seconds;
}
