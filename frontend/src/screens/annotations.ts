/** The alerts and thresholds that charts are marked with, as far as this reader may see them. */

import { useMemo } from "preact/hooks";
import type { Alert, AlertList, Rule, RuleList } from "../model/alerts.ts";
import {
  bandsOf,
  NO_MARKS,
  rulesOn,
  thresholdsOf,
  type Marks,
} from "../model/marks.ts";
import { useAlerting, useApi } from "../runtime/polled.ts";
import type { Asked } from "../runtime/window.ts";

export interface Annotations {
  /** The marks of a chart of some metrics, and whether alerts are about these. */
  of(metrics: readonly string[]): { readonly marks: Marks; readonly isAboutAlerts: boolean };
}

const MAY_READ_RULES = "prs_alerting.view_storedrule";
const ALERTS_SHOWN = 200;
const SELDOM = 60;

/** Of one endpoint only the rules that watch it count. */
export function useAnnotations({ hours, every }: Asked, endpoint?: string): Annotations {
  const { page } = useApi();
  const mayReadRules = page.permissions.has(MAY_READ_RULES);
  const history = useAlerting<AlertList>("history/", { hours, limit: ALERTS_SHOWN }, 2 * every);
  const rules = useAlerting<RuleList>(mayReadRules ? "rules/" : null, { limit: 1000 }, SELDOM);
  const [alerts, known] = [history.document?.items, rules.document?.items];
  return useMemo(() => {
    const made = new Map<string, ReturnType<Annotations["of"]>>();
    return {
      of: (metrics) => {
        const key = metrics.join();
        const found = made.get(key) ?? marked(metrics, { alerts: alerts ?? [], rules: known ?? [], endpoint });
        made.set(key, found);
        return found;
      },
    };
  }, [alerts, known, endpoint]);
}

interface Known {
  readonly alerts: readonly Alert[];
  readonly rules: readonly Rule[];
  readonly endpoint: string | undefined;
}

function marked(
  metrics: readonly string[],
  { alerts, rules, endpoint }: Known,
): ReturnType<Annotations["of"]> {
  const watching = rulesOn(rules, metrics, endpoint);
  const names = new Set(watching.map((rule) => rule.name));
  const now = Date.now() / 1000;
  const own = bandsOf(alerts, names, now);
  const isAboutAlerts = own.length > 0;
  const bands = isAboutAlerts ? own : bandsOf(alerts, null, now);
  const isEmpty = bands.length + watching.length === 0;
  const marks = isEmpty
    ? NO_MARKS
    : { bands, thresholds: thresholdsOf(watching, endpoint), deploys: [] };
  return { marks, isAboutAlerts };
}
