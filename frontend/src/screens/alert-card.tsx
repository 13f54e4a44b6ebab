/** One open alert: what, since when, because of what, and what can be done about it. */

import { Badge } from "../components/badge.tsx";
import { ScreenLink } from "../components/link.tsx";
import { Time } from "../components/time.tsx";
import type { Alert } from "../model/alerts.ts";
import { AlertActions } from "./alert-actions.tsx";
import { EvidenceView } from "./evidence.tsx";

interface AlertCardProps {
  readonly alert: Alert;
  readonly onChange: () => void;
}

export function AlertCard({ alert, onChange }: AlertCardProps) {
  return (
    <article class={`alert-card ${alert.severity}`} aria-label={alert.name}>
      <header>
        <Badge kind={alert.severity} />
        {alert.state !== "firing" && <Badge kind={alert.state} />}
        <h2>
          <ScreenLink screen="alert" details={{ alert: alert.id }}>
            {alert.name}
          </ScreenLink>
        </h2>
        <span class="since">
          since <Time at={alert.fired_at} />
        </span>
      </header>
      <p class="message">{alert.message}</p>
      <EvidenceView evidence={alert.evidence} limit={1} />
      {alert.acknowledged_by !== null && (
        <p class="acknowledged">
          {alert.acknowledged_by} knows
          {alert.acknowledgement ? `: ${alert.acknowledgement}` : "."}
        </p>
      )}
      <AlertActions alert={alert} onChange={onChange} />
    </article>
  );
}
