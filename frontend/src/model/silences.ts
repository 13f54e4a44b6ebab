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

const MATCHER = /^\s*([A-Za-z_][\w.]*)\s*(!=|!~|=|~)\s*"((?:[^"\\]|\\.)*)"\s*/;

/** Read `alertname="errors", host.name~"web-*"`; raises an `Error` that says what to write. */
export function parseMatchers(text: string): Matcher[] {
  const found: Matcher[] = [];
  let rest = text.trim();
  while (rest !== "") {
    const [whole, name, operator, value] = MATCHER.exec(rest) ?? [];
    if (whole === undefined || name === undefined || operator === undefined) {
      throw new Error(`Write alertname="errors", host.name~"web-*" instead of ${rest}`);
    }
    found.push({ name, operator, value: (value ?? "").replace(/\\(.)/g, "$1") });
    rest = rest.slice(whole.length).replace(/^,/, "").trim();
  }
  if (found.length === 0) {
    throw new Error('Write at least one label, as in alertname="errors".');
  }
  return found;
}

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** The hours of the week to which a silence is limited. */
export function weeklyText(weekly: Silence["weekly"]): string {
  if (weekly === null) {
    return "";
  }
  const days = weekly.weekdays.map((day) => DAYS[day] ?? "").join(", ");
  return `${days} ${weekly.start.slice(0, 5)}–${weekly.end.slice(0, 5)} ${weekly.timezone}`;
}
