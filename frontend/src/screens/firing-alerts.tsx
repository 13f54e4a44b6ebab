/** The alerts that are open, on top of everything else. */

import { AlertCard } from "./alert-card.tsx";
import { Notice, ProblemNotice } from "../components/notice.tsx";
import { ScreenLink } from "../components/link.tsx";
import { Time } from "../components/time.tsx";
import type { AlertingStatus, AlertList } from "../model/alerts.ts";
import { useAlerting, type Polled } from "../runtime/polled.ts";

const EVERY = 5;

interface FiringAlertsProps {
  readonly alerts: Polled<AlertList>;
  /** How many are shown at most. */
  readonly limit: number;
}

export function useFiringAlerts(limit: number): Polled<AlertList> {
  return useAlerting<AlertList>("alerts/", { limit }, EVERY);
}

export function FiringAlerts({ alerts, limit }: FiringAlertsProps) {
  const status = useAlerting<AlertingStatus>("status/", {}, 3 * EVERY);
  const items = alerts.document?.items;
  return (
    <section class="open-alerts" aria-label="Open alerts" aria-live="polite">
      <EvaluatorNotice status={status.document} />
      {items === undefined && alerts.problem && <ProblemNotice problem={alerts.problem} />}
      {items?.length === 0 && <p class="all-well">✓ No alert is firing.</p>}
      {items?.map((alert) => (
        <AlertCard key={alert.id} alert={alert} onChange={alerts.refresh} />
      ))}
      {(alerts.document?.count ?? 0) > limit && (
        <ScreenLink screen="alerts">All {alerts.document?.count} open alerts</ScreenLink>
      )}
    </section>
  );
}

/** Whoever sees no alert must know that somebody looks for them. */
function EvaluatorNotice({ status }: { readonly status: AlertingStatus | undefined }) {
  if (status === undefined || status.evaluator?.is_alive === true) {
    return null;
  }
  const { evaluator } = status;
  return (
    <Notice kind="warning" title="Nobody evaluates the alert rules.">
      {evaluator === null ? (
        "No process has taken the lead yet."
      ) : (
        <>
          The last evaluation was at <Time at={evaluator.last_evaluation_at} /> by process{" "}
          {evaluator.pid} on {evaluator.host}.
        </>
      )}
    </Notice>
  );
}
