/** What is marked on the charts: when alerts fired, from which value on, what was deployed. */

import type { Alert, Rule } from "./alerts.ts";
import type { Stretch } from "./state.ts";
import { secondsOf } from "./times.ts";

export interface AlertBand extends Stretch {
  readonly name: string;
  readonly severity: string;
}

export interface Threshold {
  readonly value: number;
  readonly severity: string;
  readonly rule: string;
}

export interface Deploy {
  readonly at: number;
  readonly label: string;
}

export interface Marks {
  readonly bands: readonly AlertBand[];
  readonly thresholds: readonly Threshold[];
  readonly deploys: readonly Deploy[];
}

const ROUTE = "http.route";

/** What was deployed within a trend. */
export function deploysOf(deploys: readonly { time: string; version: string }[]): Deploy[] {
  return deploys.map(({ time, version }) => ({ at: secondsOf(time), label: version }));
}

export const NO_MARKS: Marks = { bands: [], thresholds: [], deploys: [] };

/** When the alerts of some rules fired; one that still does goes on until `now`. */
export function bandsOf(
  alerts: readonly Alert[],
  rules: ReadonlySet<string> | null,
  now: number,
): AlertBand[] {
  return alerts
    .filter((alert) => rules === null || rules.has(alert.name))
    .map((alert) => ({
      from: secondsOf(alert.fired_at),
      until: alert.resolved_at === null ? now : secondsOf(alert.resolved_at),
      name: alert.name,
      severity: alert.severity,
    }));
}

/** The rules that watch one of some metrics; of one endpoint, or as a whole and in any part. */
export function rulesOn(
  rules: readonly Rule[],
  metrics: readonly string[],
  endpoint?: string,
): Rule[] {
  return rules.filter(
    ({ definition }) =>
      metrics.includes(definition?.metric ?? "") &&
      (endpoint === undefined || definition?.where?.[ROUTE] === endpoint),
  );
}

/** The thresholds of rules that watch just what is drawn: all of it, or one endpoint's part. */
export function thresholdsOf(rules: readonly Rule[], endpoint?: string): Threshold[] {
  return rules.flatMap((rule) => {
    const { threshold, where = {}, severity } = rule.definition ?? {};
    const { [ROUTE]: route, ...others } = where;
    if (threshold === undefined || route !== endpoint || Object.keys(others).length > 0) {
      return [];
    }
    const ladder =
      typeof threshold === "number" ? { [severity ?? "critical"]: threshold } : threshold;
    return Object.entries(ladder).map(([severity, value]) => ({
      value,
      severity,
      rule: rule.name,
    }));
  });
}
