/** Silences: whom they mean, in what words. */

import type { Alert, Silence } from "./alerts.ts";

type Matcher = Silence["matchers"][number];

/** What means an alert and those that will come of the same rule and labels. */
export function matchersOf(alert: Pick<Alert, "name" | "labels">): Matcher[] {
  const labels = Object.entries(alert.labels).map(([name, value]) => ({
    name,
    operator: "=",
    value,
  }));
  return [{ name: "alertname", operator: "=", value: alert.name }, ...labels];
}

export function matchersText(matchers: readonly Matcher[]): string {
  return matchers.map(({ name, operator, value }) => `${name}${operator}"${value}"`).join(", ");
}
