/** One open alert: what, since when, because of what, and what can be done about it. */

import { Badge } from "../components/badge.tsx";
import { ScreenLink } from "../components/link.tsx";
import { Time } from "../components/time.tsx";
import { lasted, type Alert } from "../model/alerts.ts";
import { span } from "../model/format.ts";
import { AlertActions } from "./alert-actions.tsx";
import { EvidenceView } from "./evidence.tsx";

interface AlertCardProps {
  readonly alert: Alert;
  readonly onChange: () => void;
}

export function AlertCard({ alert, onChange }: AlertCardProps) {
  const isOver = alert.resolved_at !== null;
  return (
    <article class={`alert-card ${isOver ? "over" : alert.severity}`} aria-label={alert.name}>
      <header>
        {!isOver && <Badge kind={alert.severity} />}
        {alert.state !== "firing" && <Badge kind={alert.state} />}
        <h2>
          <ScreenLink screen="alert" details={{ alert: alert.id }}>
            {alert.name}
          </ScreenLink>
        </h2>
        <span class="since">
          {alert.resolved_at === null ? (
            <>
              since <Time at={alert.fired_at} />
            </>
          ) : (
            <>
              <Time at={alert.fired_at} /> for {span(lasted(alert))}
            </>
          )}
        </span>
      </header>
      <p class="message" title={alert.message}>
        {alert.message}
      </p>
      <EvidenceView evidence={alert.evidence} limit={1} />
      <AlertActions alert={alert} onChange={onChange}>
        {alert.acknowledged_by !== null && (
          <p class="acknowledged" title={alert.acknowledgement ?? ""}>
            {alert.acknowledged_by} knows
            {alert.acknowledgement ? `: ${alert.acknowledgement}` : "."}
          </p>
        )}
      </AlertActions>
    </article>
  );
}
