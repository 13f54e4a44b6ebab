/** Whether anybody can be told. */

import { Badge } from "../components/badge.tsx";
import { Table, type Column } from "../components/table.tsx";
import { Time } from "../components/time.tsx";
import type { AlertingStatus } from "../model/alerts.ts";
import { count, duration } from "../model/format.ts";
import { useAlerting } from "../runtime/polled.ts";
import { Answered } from "./samples.tsx";

type Channel = AlertingStatus["channels"][number];

export function Channels() {
  const status = useAlerting<AlertingStatus>("status/", {}, 15);
  return (
    <section>
      <h2>Who is told</h2>
      <Answered polled={status}>
        {({ channels, evaluator }) => (
          <>
            <Table
              caption="Channels"
              columns={COLUMNS}
              rows={channels}
              keyOf={(channel) => channel.name}
              empty="No channel has been used yet."
            />
            {evaluator !== null && (
              <p class="muted">
                Evaluated every {duration(evaluator.interval)} by process {evaluator.pid} on{" "}
                {evaluator.host}, last at <Time at={evaluator.last_evaluation_at} /> in{" "}
                {duration(evaluator.evaluation_seconds)}.
              </p>
            )}
          </>
        )}
      </Answered>
    </section>
  );
}

const COLUMNS: readonly Column<Channel>[] = [
  { key: "name", title: "Channel", value: (row) => row.name, show: (row) => row.name },
  {
    key: "health",
    title: "Health",
    value: (row) => row.health,
    show: (row) => <Badge kind={row.health} />,
  },
  {
    key: "success",
    title: "Last told",
    value: (row) => row.last_success_at,
    show: (row) => (row.last_success_at === null ? "–" : <Time at={row.last_success_at} />),
  },
  {
    key: "dead",
    title: "Given up",
    hint: "Notifications that could not be delivered",
    isNumber: true,
    value: (row) => row.dead,
    show: (row) => count(row.dead),
  },
  {
    key: "error",
    title: "Last error",
    value: (row) => row.last_error,
    show: (row) => row.last_error || "–",
  },
];
