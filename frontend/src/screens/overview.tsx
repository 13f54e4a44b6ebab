/** What is wrong, since when, and because of what. */

import { OnceInSight } from "../components/in-sight.tsx";
import { ProblemNotice, Waiting } from "../components/notice.tsx";
import type { Trends } from "../model/documents.ts";
import { useApi, useMonitoring } from "../runtime/polled.ts";
import { useAsked } from "../runtime/window.ts";
import { AlertStrip } from "./alert-strip.tsx";
import { useAnnotations } from "./annotations.ts";
import { CHARTS } from "./charts.ts";
import { Contributors } from "./contributors.tsx";
import { Coverage } from "./coverage.tsx";
import { LatencyHeatMap } from "./latency.tsx";
import { NoData } from "./no-data.tsx";
import { SlowSamples } from "./samples.tsx";
import { TrendCharts } from "./trend-charts.tsx";

export function Overview() {
  const { page } = useApi();
  const isStaff = page.role === "staff";
  const asked = useAsked();
  const trends = useMonitoring<Trends>("performance/trends/", { hours: asked.hours }, asked.every);
  const annotations = useAnnotations(asked);
  const hasAlerting = page.alertingUrl !== "";
  const plans = isStaff ? CHARTS : CHARTS.filter((plan) => !plan.isOfSystem);
  const { document } = trends;
  const isEmpty = document?.window.covered_seconds === 0;
  return (
    <>
      <div class="heading">
        <h1>{isStaff ? "Overview" : `Organisation ${page.organization}`}</h1>
        {document !== undefined && !isEmpty && <Coverage window={document.window} />}
      </div>
      {hasAlerting && <AlertStrip />}
      {!document && trends.problem && <ProblemNotice problem={trends.problem} />}
      {!document && !trends.problem && <Waiting lines={12} />}
      {isEmpty && <NoData />}
      {document !== undefined && !isEmpty && (
        <TrendCharts trends={document} plans={plans} annotations={annotations} />
      )}
      {document !== undefined && !isEmpty && (
        <>
          <OnceInSight class="room-for-heat-map">
            <LatencyHeatMap asked={asked} />
          </OnceInSight>
          <OnceInSight class="stack room-for-tables">
            {isStaff ? <Contributors /> : <SlowSamples />}
          </OnceInSight>
        </>
      )}
    </>
  );
}
