/** The charts of one trend, all over the same window. */

import { useMemo } from "preact/hooks";
import { Chart } from "../charts/chart.tsx";
import type { Picture } from "../charts/plot.ts";
import type { Trends } from "../model/documents.ts";
import { deploysOf, type Deploy } from "../model/marks.ts";
import { columnsOf, type Columns } from "../model/series.ts";
import type { Stretch } from "../model/state.ts";
import { useRoute, zoomTo } from "../runtime/router.ts";
import { rangeOf } from "../runtime/window.ts";
import type { Annotations } from "./annotations.ts";
import type { ChartPlan } from "./charts.ts";

interface TrendChartsProps {
  readonly trends: Trends;
  readonly plans: readonly ChartPlan[];
  readonly annotations: Annotations;
}

export function TrendCharts({ trends, plans, annotations }: TrendChartsProps) {
  const { zoom } = useRoute();
  const columns = useMemo(() => columnsOf(trends), [trends]);
  const range = useMemo(() => rangeOf(zoom, trends.window), [zoom, trends]);
  const deploys = useMemo(() => deploysOf(trends.deploys), [trends]);
  return (
    <div class="charts">
      {plans.map((plan) => (
        <PlannedChart
          key={plan.title}
          plan={plan}
          columns={columns}
          range={range}
          deploys={deploys}
          annotations={annotations}
        />
      ))}
    </div>
  );
}

interface PlannedChartProps {
  readonly plan: ChartPlan;
  readonly columns: Columns;
  readonly range: Stretch;
  readonly deploys: readonly Deploy[];
  readonly annotations: Annotations;
}

function PlannedChart({ plan, columns, range, deploys, annotations }: PlannedChartProps) {
  const picture = useMemo<Picture>(() => {
    const { marks, isAboutAlerts } = annotations.of(plan.metrics);
    return {
      times: columns.times,
      lines: plan.lines(columns),
      range,
      format: plan.format,
      least: plan.least,
      most: plan.most,
      marks: deploys.length === 0 ? marks : { ...marks, deploys },
      isAboutAlerts,
    };
  }, [plan, columns, range, deploys, annotations]);
  return <Chart title={plan.title} hint={plan.hint} picture={picture} onZoom={zoomTo} />;
}
