/** What the server has written into the page: where the APIs are, and who reads. */

export type Role = "staff" | "organization";

export interface Page {
  readonly service: string;
  readonly version: string;
  readonly user: string;
  readonly role: Role;
  readonly organization: string;
  readonly permissions: ReadonlySet<string>;
  readonly csrfToken: string;
  readonly pageUrl: string;
  readonly monitoringUrl: string;
  /** Empty where alerting is not installed, or not for this reader. */
  readonly alertingUrl: string;
  /** Where a trace is seen, `{trace_id}` in its place; empty where nobody has said. */
  readonly traceUrl: string;
}

export function readPage(data: Readonly<Record<string, string | undefined>>): Page {
  const text = (name: string): string => data[name] ?? "";
  const role = text("role") === "staff" ? "staff" : "organization";
  return {
    service: text("service"),
    version: text("version"),
    user: text("user"),
    role,
    organization: text("organization"),
    permissions: words(text("permissions")),
    csrfToken: text("csrfToken"),
    pageUrl: text("pageUrl"),
    monitoringUrl: text("monitoringUrl"),
    alertingUrl: role === "staff" ? text("alertingUrl") : "",
    traceUrl: text("traceUrl"),
  };
}

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(" ").filter(Boolean));
}
