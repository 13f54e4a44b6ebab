/** The alerts on top of the overview: a strip of one height, whatever fires. */

import { useRef } from "preact/hooks";
import { ScreenLink } from "../components/link.tsx";
import { ProblemNotice } from "../components/notice.tsx";
import type { Alert, AlertingStatus, AlertList } from "../model/alerts.ts";
import { span } from "../model/format.ts";
import { placesOf } from "../model/places.ts";
import { useAlerting } from "../runtime/polled.ts";
import { AlertCard } from "./alert-card.tsx";
import { EvaluatorNotice, useAlertingStatus } from "./evaluator.tsx";
import { useFiringAlerts } from "./firing-alerts.tsx";

const PLACES = 6;
const IN_SIGHT = { narrow: 1, wide: 3 };
const NARROW = "(max-width: 60rem)";
// What was resolved within this time is still worth a look.
const LATELY = { hours: 0.25, limit: 12 };
const EVERY = 5;

/** What lies below it never moves; a card keeps its place for as long as it is shown. */
export function AlertStrip() {
  const alerts = useFiringAlerts(PLACES);
  const lately = useAlerting<AlertList>("history/", LATELY, EVERY);
  const status = useAlertingStatus();
  const places = usePlaces(alerts.document, lately.document);
  const refresh = (): void => {
    alerts.refresh();
    lately.refresh();
  };
  return (
    <section class="alert-strip" aria-label="Alerts">
      <div class="strip-state" role="status">
        {alerts.document && <HowManyFire count={alerts.document.count} />}
        {isUnwatched(status) && <span class="bad">⚠ Nobody evaluates the alert rules.</span>}
        <ScreenLink screen="alerts">All alerts</ScreenLink>
      </div>
      <div class="strip" tabIndex={0} role="group" aria-label="Open alerts, and those just resolved">
        {places.map((alert, place) => (
          <div class="place" key={place}>
            {alert && <AlertCard key={alert.id} alert={alert} onChange={refresh} />}
          </div>
        ))}
        {places.length === 0 && (
          <div class="place nothing-fires">
            {alerts.document === undefined && alerts.problem ? (
              <ProblemNotice problem={alerts.problem} />
            ) : (
              <Watch status={status} />
            )}
          </div>
        )}
      </div>
    </section>
  );
}

function usePlaces(
  open: AlertList | undefined,
  lately: AlertList | undefined,
): readonly (Alert | null)[] {
  const before = useRef<readonly (Alert | null)[]>([]);
  if (open !== undefined) {
    const over = (lately?.items ?? []).filter((alert) => alert.resolved_at !== null);
    // Resolved between two answers: the one that says so is right.
    const firing = open.items.filter((alert) => !over.some((each) => each.id === alert.id));
    const inSight = matchMedia(NARROW).matches ? IN_SIGHT.narrow : IN_SIGHT.wide;
    before.current = placesOf(before.current, { open: firing, over }, { places: PLACES, inSight });
  }
  return before.current;
}

function HowManyFire({ count }: { readonly count: number }) {
  if (count === 0) {
    return <span class="all-well">✓ No alert is firing.</span>;
  }
  return <strong class="bad">{count === 1 ? "1 alert is firing" : `${count} alerts are firing`}</strong>;
}

function Watch({ status }: { readonly status: AlertingStatus | undefined }) {
  if (status?.evaluator?.is_alive !== true) {
    return <EvaluatorNotice status={status} />;
  }
  const { evaluator, rules } = status;
  return (
    <p>
      {rules.length} {rules.length === 1 ? "rule is" : "rules are"} evaluated every{" "}
      {span(evaluator.interval)}. What fires is shown here with its cause, and stays for a quarter
      of an hour after it was resolved.
    </p>
  );
}

function isUnwatched(status: AlertingStatus | undefined): boolean {
  return status !== undefined && status.evaluator?.is_alive !== true;
}
