/** The documents of the alerting API, as far as the page reads them. */

import type { CodeLocation } from "./documents.ts";
import { secondsOf } from "./times.ts";

export type Severity = "critical" | "warning" | "info";

export interface Contributor {
  endpoint?: string;
  method?: string;
  task?: string;
  fingerprint?: string;
  query?: string;
  count: number;
  value: number;
  share: number;
}

export interface Evidence {
  contributors?: Contributor[];
  code?: CodeLocation | null;
  traces?: string[];
  /** The same as addresses, where the project has said where traces are seen. */
  trace_urls?: string[];
}

export interface Alert {
  id: string;
  name: string;
  severity: Severity;
  state: string;
  labels: Record<string, string>;
  value: number | null;
  threshold: number | null;
  message: string;
  evidence: Evidence;
  started_at: string;
  fired_at: string;
  resolved_at: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  acknowledgement: string | null;
}

/** For how many seconds an alert has fired, or did. */
export function lasted(alert: Pick<Alert, "fired_at" | "resolved_at">): number {
  const end = alert.resolved_at === null ? Date.now() / 1000 : secondsOf(alert.resolved_at);
  return end - secondsOf(alert.fired_at);
}

export interface AlertList {
  items: Alert[];
  count: number;
}

export interface RuleHealth {
  name: string;
  text: string | null;
  severities: string[];
  health: string;
  last_error: string;
  last_evaluation_at: string;
  series: number;
  dropped: number;
}

export interface AlertingStatus {
  evaluator: {
    host: string;
    pid: number;
    last_evaluation_at: string;
    interval: number;
    evaluation_seconds: number;
    is_alive: boolean;
  } | null;
  firing: Record<string, number>;
  pending: number;
  rules: RuleHealth[];
  unevaluated_rules: string[];
  channels: {
    name: string;
    health: string;
    last_error: string;
    last_success_at: string | null;
    failing_since: string | null;
    dead: number;
  }[];
}

export interface Rule {
  name: string;
  origin: string;
  text: string | null;
  definition: {
    metric?: string;
    where?: Record<string, string>;
    operator?: string;
    threshold?: number | Record<string, number>;
    severity?: Severity;
  } | null;
  severities: Severity[];
  health: string;
  last_error: string;
  updated_at: string | null;
  updated_by: string | null;
}

export interface RuleList {
  items: Rule[];
  count: number;
}

export interface RuleTrial {
  name: string;
  time: string;
  health: string;
  last_error: string;
  would_fire: boolean;
  results: {
    labels: Record<string, string>;
    value: number | null;
    count: number;
    severity: Severity | null;
    threshold: number | null;
  }[];
  count: number;
}

export interface Silence {
  id: string;
  matchers: { name: string; operator: string; value: string }[];
  starts_at: string;
  ends_at: string;
  weekly: { weekdays: number[]; start: string; end: string; timezone: string } | null;
  comment: string;
  author: string;
  is_active: boolean;
}

export interface SilenceList {
  items: Silence[];
  count: number;
}

export interface ExplainedAlert {
  alert: Alert;
  steps: {
    time: string;
    kind: string;
    severity: Severity;
    value: number | null;
    message: string;
    reason: string;
    deliveries: {
      channel: string;
      state: string;
      reason: string;
      recipients: string[];
      attempts: number;
      next_attempt_at: string | null;
      last_error: string;
      settled_at: string | null;
    }[];
  }[];
}

export interface Explanation {
  rule: string;
  verdict: string;
  reasons: { step: string; passes: boolean; text: string }[];
  health: RuleHealth | null;
  alerts: ExplainedAlert[];
}
