/** The documents of the JSON APIs, as far as the page reads them. */

export interface WindowDocument {
  start: string;
  end: string;
  seconds: number;
  covered_seconds: number;
}

export interface Durations {
  mean: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

export interface RequestFigures {
  count: number;
  error_count: number;
  error_rate: number;
  slow_count: number;
  slow_rate: number;
  duration: Durations;
}

export interface QueryFigures extends RequestFigures {
  n_plus_one_count: number;
}

export interface SystemFigures {
  cpu_utilization: number | null;
  memory_utilization: number | null;
  disk_utilization: number | null;
  database_connections: number | null;
}

export interface CacheFigures {
  hits: number;
  misses: number;
  hit_rate: number | null;
  operation_count: number;
  error_count: number;
  error_rate: number;
  duration: Durations;
}

export interface TrendPoint {
  time: string;
  covered_seconds: number;
  requests: {
    count: number | null;
    error_rate: number | null;
    slow_rate: number | null;
    p50: number | null;
    p95: number | null;
    p99: number | null;
  };
  queries: { count: number | null; slow_rate: number | null };
  cache: { hit_rate: number | null };
  system: SystemFigures;
}

export interface Trends {
  window: WindowDocument;
  step: number;
  is_covered: boolean;
  points: TrendPoint[];
  deploys: { time: string; version: string }[];
}

export interface Latency {
  window: WindowDocument;
  step: number;
  is_covered: boolean;
  bounds: number[];
  points: { time: string; covered_seconds: number; counts: number[] | null }[];
}

export interface EndpointTrends {
  window: WindowDocument;
  step: number;
  times: string[];
  items: {
    endpoint: string;
    method: string;
    counts: (number | null)[];
    error_counts: (number | null)[];
    mean_durations: (number | null)[];
  }[];
  count: number;
}

export interface CallFigures extends RequestFigures {
  status_classes: {
    success: number;
    redirection: number;
    client_error: number;
    server_error: number;
  };
  queries_per_request: number;
  database_share: number;
}

export interface EndpointRow extends CallFigures {
  endpoint: string;
  method: string;
}

export interface OrganizationRow extends CallFigures {
  organization_id: string | null;
}

export interface UserRow extends CallFigures {
  user_id: string | null;
}

export interface ApiMetrics {
  window: WindowDocument;
  requests: CallFigures;
  endpoints: EndpointRow[];
  endpoint_count: number;
  organizations: OrganizationRow[] | null;
  organization_count: number | null;
  users: UserRow[] | null;
  user_count: number | null;
}

export interface CodeLocation {
  file: string;
  line: number;
  function: string;
}

export interface StatementRow extends QueryFigures {
  fingerprint: string;
  query: string;
  total_duration: number;
  time_share: number;
  aliases: string[];
  endpoints: {
    endpoint: string;
    request_count: number;
    count: number;
    total_duration: number;
  }[];
  endpoint_count: number;
}

export interface RepeatedStatement {
  fingerprint: string;
  query: string;
  endpoint: string | null;
  task: string | null;
  count: number;
  repeat_count: number;
  code: CodeLocation | null;
}

export interface DatabaseMetrics {
  window: WindowDocument;
  queries: QueryFigures;
  aliases: (RequestFigures & { alias: string; total_duration: number; time_share: number })[];
  fingerprints: StatementRow[];
  n_plus_one: RepeatedStatement[];
  count: number;
}

export interface SlowQuery {
  query: string | null;
  fingerprint: string;
  duration: number;
  endpoint: string | null;
  task: string | null;
  organization_id: string | null;
  code: CodeLocation | null;
  trace_id: string;
  span_id: string;
  time: string;
}

export interface SlowCall {
  endpoint: string;
  method: string;
  status_code: number;
  duration: number;
  query_count: number;
  query_duration: number;
  organization_id: string | null;
  user_id: string | null;
  trace_id: string;
  time: string;
}

export interface Samples<Item> {
  window: WindowDocument;
  items: Item[];
  count: number;
}

export interface MonitorFigures {
  workers: number;
  hosts: number;
  dropped: number;
  overflowed: number;
  lost_spans: number;
  flush_lag_seconds: number | null;
  overhead: number | null;
}

export interface HostRow {
  host: string;
  cpu_utilization: number | null;
  memory_utilization: number | null;
  disk_utilization: number | null;
  load_average_1m: number | null;
  time: string;
}

export interface WorkerRow {
  worker: string;
  host: string;
  pid: number;
  started_at: string;
  seen_at: string;
  cpu_utilization: number | null;
  memory_usage: number | null;
  thread_count: number | null;
  database_connections: number | null;
  dropped: number;
  overflowed: number;
  failures: Record<string, number>;
}

export interface CacheRow extends CacheFigures {
  alias: string;
  memory_usage: number | null;
  memory_limit: number | null;
  item_count: number | null;
  evictions: number | null;
}

export interface SystemMetrics {
  time: string;
  system: SystemFigures;
  cache: CacheFigures | null;
  caches: CacheRow[] | null;
  hosts: HostRow[];
  workers: WorkerRow[];
  monitor: MonitorFigures;
}

export interface Health {
  status: "healthy" | "degraded" | "unhealthy";
  checks?: { name: string; status: Health["status"]; detail: string }[];
}
