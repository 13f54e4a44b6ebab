/** The alerts that are open, all of them. */

import { ScreenLink } from "../components/link.tsx";
import { ProblemNotice } from "../components/notice.tsx";
import type { AlertList } from "../model/alerts.ts";
import { useAlerting, type Polled } from "../runtime/polled.ts";
import { AlertCard } from "./alert-card.tsx";
import { EvaluatorNotice, useAlertingStatus } from "./evaluator.tsx";

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
  const status = useAlertingStatus();
  const items = alerts.document?.items;
  return (
    <section class="open-alerts" aria-label="Open alerts" aria-live="polite">
      <EvaluatorNotice status={status} />
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
