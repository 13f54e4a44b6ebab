/** All statements, the heaviest first, and what is repeated within one request. */

import { Figures } from "../components/figures.tsx";
import type { DatabaseMetrics } from "../model/documents.ts";
import { count, duration, percent } from "../model/format.ts";
import { useMonitoring } from "../runtime/polled.ts";
import { useAsked } from "../runtime/window.ts";
import { RepeatedStatements } from "./contributors.tsx";
import { Coverage } from "./coverage.tsx";
import { Answered, SlowQueries } from "./samples.tsx";
import { StatementTable } from "./statements.tsx";

const MOST = 1000;

export function Queries() {
  const { hours, tableEvery } = useAsked();
  const database = useMonitoring<DatabaseMetrics>(
    "database/metrics/",
    { hours, limit: MOST },
    tableEvery,
  );
  return (
    <>
      <h1>Queries</h1>
      <Answered polled={database}>
        {(document) => (
          <>
            <Coverage window={document.window} />
            <Totals document={document} />
            {document.n_plus_one.length > 0 && (
              <section>
                <h2>Repeated within one request</h2>
                <RepeatedStatements rows={document.n_plus_one} />
              </section>
            )}
            <section>
              <h2>Statements</h2>
              <StatementTable caption="Statements" rows={document.fingerprints} />
            </section>
          </>
        )}
      </Answered>
      <SlowQueries about={{}} />
    </>
  );
}

function Totals({ document }: { readonly document: DatabaseMetrics }) {
  const { queries, aliases } = document;
  return (
    <Figures
      items={[
        ["Queries", count(queries.count)],
        ["Slow", `${count(queries.slow_count)} (${percent(queries.slow_rate)})`],
        ["Errors", `${count(queries.error_count)} (${percent(queries.error_rate)})`],
        ["p95", duration(queries.duration.p95)],
        ["Requests with N+1", count(queries.n_plus_one_count)],
        ["Statements", count(document.count)],
        ...aliases.map((each) => [`On ${each.alias}`, percent(each.time_share)] as const),
      ]}
    />
  );
}
