/** Alerts: what fires, what has fired, the rules, and what is not told just now. */

import { Badge } from "../components/badge.tsx";
import { Link, ScreenLink } from "../components/link.tsx";
import { Table, type Column } from "../components/table.tsx";
import { Time } from "../components/time.tsx";
import { lasted, type Alert, type AlertList } from "../model/alerts.ts";
import { span } from "../model/format.ts";
import { useAlerting, useApi } from "../runtime/polled.ts";
import { screenState, useRoute } from "../runtime/router.ts";
import { useAsked } from "../runtime/window.ts";
import { FiringAlerts, useFiringAlerts } from "./firing-alerts.tsx";
import { Channels } from "./channels.tsx";
import { MAY_READ_RULES, Rules } from "./rules.tsx";
import { MAY_SEE_SILENCES, Silences } from "./silences.tsx";
import { Answered } from "./samples.tsx";

const TABS = ["current", "history", "rules", "silences"] as const;
const CURRENT_SHOWN = 100;

type Tab = (typeof TABS)[number];

export function Alerts() {
  const { page } = useApi();
  const { details } = useRoute();
  const tab = TABS.find((each) => each === details["tab"]) ?? "current";
  const isFor: Record<Tab, boolean> = {
    current: true,
    history: true,
    rules: page.permissions.has(MAY_READ_RULES),
    silences: page.permissions.has(MAY_SEE_SILENCES),
  };
  return (
    <>
      <h1>Alerts</h1>
      <nav class="tabs" aria-label="Alerts">
        {TABS.filter((each) => isFor[each]).map((each) => (
          <Link key={each} to={screenState("alerts", { tab: each })} isCurrent={each === tab}>
            {each.charAt(0).toUpperCase() + each.slice(1)}
          </Link>
        ))}
      </nav>
      {tab === "current" && (
        <>
          <Current />
          <Channels />
        </>
      )}
      {tab === "history" && <History />}
      {tab === "rules" && <Rules />}
      {tab === "silences" && <Silences />}
    </>
  );
}

function Current() {
  const alerts = useFiringAlerts(CURRENT_SHOWN);
  return <FiringAlerts alerts={alerts} limit={CURRENT_SHOWN} />;
}

function History() {
  const { hours, tableEvery } = useAsked();
  const history = useAlerting<AlertList>("history/", { hours, limit: 1000 }, tableEvery);
  return (
    <Answered polled={history}>
      {(document) => (
        <Table
          caption="Alerts of this window"
          columns={COLUMNS}
          rows={document.items}
          keyOf={(alert) => alert.id}
          textOf={(alert) => `${alert.name} ${alert.severity} ${alert.state} ${alert.message}`}
          orderedBy="sort"
          order="-fired"
          empty="No alert fired in this window."
        />
      )}
    </Answered>
  );
}

const COLUMNS: readonly Column<Alert>[] = [
  {
    key: "fired",
    title: "Fired",
    value: (alert) => alert.fired_at,
    show: (alert) => <Time at={alert.fired_at} />,
  },
  {
    key: "name",
    title: "Alert",
    value: (alert) => alert.name,
    show: (alert) => (
      <ScreenLink screen="alert" details={{ alert: alert.id }}>
        {alert.name}
      </ScreenLink>
    ),
  },
  {
    key: "severity",
    title: "Severity",
    value: (alert) => alert.severity,
    show: (alert) => <Badge kind={alert.severity} />,
  },
  {
    key: "state",
    title: "State",
    value: (alert) => alert.state,
    show: (alert) => <Badge kind={alert.state} />,
  },
  {
    key: "lasted",
    title: "Lasted",
    isNumber: true,
    value: lasted,
    show: (alert) => span(lasted(alert)),
  },
  {
    key: "message",
    title: "Message",
    isExtra: true,
    value: (alert) => alert.message,
    show: (alert) => alert.message,
  },
];
