/** What is wrong, since when, and because of what. */

import { ProblemNotice, Waiting } from "../components/notice.tsx";
import type { Trends } from "../model/documents.ts";
import { useApi, useMonitoring } from "../runtime/polled.ts";
import { useAsked } from "../runtime/window.ts";
import { useAnnotations } from "./annotations.ts";
import { CHARTS } from "./charts.ts";
import { Contributors } from "./contributors.tsx";
import { Coverage } from "./coverage.tsx";
import { FiringAlerts, useFiringAlerts } from "./firing-alerts.tsx";
import { LatencyHeatMap } from "./latency.tsx";
import { NoData } from "./no-data.tsx";
import { SlowSamples } from "./samples.tsx";
import { TrendCharts } from "./trend-charts.tsx";

const FIRING_SHOWN = 4;

export function Overview() {
  const { page } = useApi();
  const isStaff = page.role === "staff";
  const asked = useAsked();
  const trends = useMonitoring<Trends>("performance/trends/", { hours: asked.hours }, asked.every);
  const annotations = useAnnotations(asked);
  const alerts = useFiringAlerts(FIRING_SHOWN);
  const hasAlerting = page.alertingUrl !== "";
  // Together, so that alerts that come later do not push away what somebody looks at.
  const isReady = !hasAlerting || alerts.document !== undefined || alerts.problem !== undefined;
  const plans = isStaff ? CHARTS : CHARTS.filter((plan) => !plan.isOfSystem);
  const document = isReady ? trends.document : undefined;
  const isEmpty = document?.window.covered_seconds === 0;
  return (
    <>
      <h1>{isStaff ? "Overview" : `Organisation ${page.organization}`}</h1>
      {hasAlerting && <FiringAlerts alerts={alerts} limit={FIRING_SHOWN} />}
      {document !== undefined && !isEmpty && <Coverage window={document.window} />}
      {!document && trends.problem && <ProblemNotice problem={trends.problem} />}
      {isReady && !document && !trends.problem && <Waiting lines={12} />}
      {isEmpty && <NoData />}
      {document !== undefined && !isEmpty && (
        <TrendCharts trends={document} plans={plans} annotations={annotations} />
      )}
      {document !== undefined && !isEmpty && (
        <>
          <LatencyHeatMap asked={asked} />
          {isStaff ? <Contributors /> : <SlowSamples />}
        </>
      )}
    </>
  );
}
