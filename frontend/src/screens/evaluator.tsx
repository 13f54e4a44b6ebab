/** Whether somebody looks for alerts: who sees none must know. */

import { Notice } from "../components/notice.tsx";
import { Time } from "../components/time.tsx";
import type { AlertingStatus } from "../model/alerts.ts";
import { useAlerting } from "../runtime/polled.ts";

const EVERY = 15;

export function useAlertingStatus(): AlertingStatus | undefined {
  return useAlerting<AlertingStatus>("status/", {}, EVERY).document;
}

export function EvaluatorNotice({ status }: { readonly status: AlertingStatus | undefined }) {
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
