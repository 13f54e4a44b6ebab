/** What charts are marked with: alerts, thresholds, deploys; each where this reader may. */

import { useMemo } from "preact/hooks";
import type { Alert, AlertList, Rule, RuleList } from "../model/alerts.ts";
import {
  bandsOf,
  NO_MARKS,
  rulesOn,
  thresholdsOf,
  type Deploy,
  type Marks,
} from "../model/marks.ts";
import { secondsOf } from "../model/times.ts";
import { useAlerting, useApi, useMonitoring } from "../runtime/polled.ts";
import type { Asked } from "../runtime/window.ts";

export interface Annotations {
  /** The marks of a chart of some metrics, and whether alerts are about these. */
  of(metrics: readonly string[]): { readonly marks: Marks; readonly isAboutAlerts: boolean };
}

interface Deploys {
  items: { time: string; version: string }[];
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
  const deploys = useDeploys(hours);
  const [alerts, known] = [history.document?.items, rules.document?.items];
  return useMemo(() => {
    const made = new Map<string, ReturnType<Annotations["of"]>>();
    return {
      of: (metrics) => {
        const key = metrics.join();
        const found = made.get(key) ?? marked(metrics, { alerts: alerts ?? [], rules: known ?? [], deploys, endpoint });
        made.set(key, found);
        return found;
      },
    };
  }, [alerts, known, deploys, endpoint]);
}

interface Known {
  readonly alerts: readonly Alert[];
  readonly rules: readonly Rule[];
  readonly deploys: readonly Deploy[];
  readonly endpoint: string | undefined;
}

function marked(
  metrics: readonly string[],
  { alerts, rules, deploys, endpoint }: Known,
): ReturnType<Annotations["of"]> {
  const watching = rulesOn(rules, metrics, endpoint);
  const names = new Set(watching.map((rule) => rule.name));
  const now = Date.now() / 1000;
  const own = bandsOf(alerts, names, now);
  const isAboutAlerts = own.length > 0;
  const bands = isAboutAlerts ? own : bandsOf(alerts, null, now);
  const isEmpty = bands.length + watching.length + deploys.length === 0;
  const marks = isEmpty ? NO_MARKS : { bands, thresholds: thresholdsOf(watching, endpoint), deploys };
  return { marks, isAboutAlerts };
}

function useDeploys(hours: number): readonly Deploy[] {
  const { page } = useApi();
  const isThere = page.role === "staff" && page.offers.has("deploys");
  const { document } = useMonitoring<Deploys>(
    isThere ? "performance/deploys/" : null,
    { hours },
    SELDOM,
  );
  return useMemo(
    () =>
      (document?.items ?? []).map(({ time, version }) => ({ at: secondsOf(time), label: version })),
    [document],
  );
}
