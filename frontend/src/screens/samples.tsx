/** The slowest queries and requests, one by one. */

import { Code } from "../components/code.tsx";
import { EndpointLink, StatementLink } from "../components/subjects.tsx";
import { ProblemNotice, Waiting } from "../components/notice.tsx";
import { Table, type Column } from "../components/table.tsx";
import { Time } from "../components/time.tsx";
import { Trace } from "../components/trace.tsx";
import type { Samples, SlowCall, SlowQuery } from "../model/documents.ts";
import { count, duration } from "../model/format.ts";
import { useApi, useMonitoring, type Polled } from "../runtime/polled.ts";
import { useAsked } from "../runtime/window.ts";

export interface About {
  readonly endpoint?: string;
  readonly fingerprint?: string;
  readonly organization?: string;
}

const LIMIT = 100;
const SHOWN = 20;

export function SlowSamples() {
  return (
    <div class="columns">
      <SlowCalls about={{}} />
      <SlowQueries about={{}} />
    </div>
  );
}

export function SlowCalls({ about }: { readonly about: About }) {
  const { page } = useApi();
  const { hours, tableEvery } = useAsked();
  const calls = useMonitoring<Samples<SlowCall>>(
    "api/slow-calls/",
    { hours, limit: LIMIT, endpoint: about.endpoint, organization_id: about.organization },
    tableEvery,
  );
  const isOfOne = about.endpoint !== undefined;
  const hidden = new Set([
    isOfOne && "endpoint",
    (page.role !== "staff" || about.organization !== undefined) && "organization",
  ]);
  return (
    <section>
      <h2>Slowest requests</h2>
      <Answered polled={calls}>
        {(document) => (
          <Table
            caption="Slowest requests"
            columns={CALLS.filter((each) => !hidden.has(each.key))}
            rows={document.items
              // An API that does not know the question answers for all.
              .filter((call) => !isOfOne || call.endpoint === about.endpoint)
              .slice(0, SHOWN)}
            keyOf={(call) => `${call.trace_id} ${call.time} ${call.endpoint}`}
            empty="No request was slow in this window."
          />
        )}
      </Answered>
    </section>
  );
}

export function SlowQueries({ about }: { readonly about: About }) {
  const { hours, tableEvery } = useAsked();
  const queries = useMonitoring<Samples<SlowQuery>>(
    "database/slow-queries/",
    {
      hours,
      limit: LIMIT,
      endpoint: about.endpoint,
      fingerprint: about.fingerprint,
      organization_id: about.organization,
    },
    tableEvery,
  );
  const isOfOne = about.fingerprint !== undefined;
  return (
    <section>
      <h2>Slowest queries</h2>
      <Answered polled={queries}>
        {(document) => (
          <Table
            caption="Slowest queries"
            columns={isOfOne ? QUERIES.filter((each) => each.key !== "query") : QUERIES}
            rows={document.items.filter((query) => isAbout(query, about)).slice(0, SHOWN)}
            keyOf={(query) => query.span_id}
            empty="No query was slow in this window."
          />
        )}
      </Answered>
    </section>
  );
}

interface AnsweredProps<T> {
  readonly polled: Polled<T>;
  readonly children: (document: T) => preact.ComponentChildren;
}

/** What is shown once there is an answer; until then why there is none. */
export function Answered<T>({ polled, children }: AnsweredProps<T>) {
  if (polled.document !== undefined) {
    return <div class={polled.isOutdated ? "stack outdated" : "stack"}>{children(polled.document)}</div>;
  }
  return polled.problem ? <ProblemNotice problem={polled.problem} /> : <Waiting />;
}

function isAbout(query: SlowQuery, about: About): boolean {
  return (
    (about.endpoint === undefined || about.endpoint === query.endpoint) &&
    (about.fingerprint === undefined || about.fingerprint === query.fingerprint)
  );
}

const CALLS: readonly Column<SlowCall>[] = [
  {
    key: "duration",
    title: "Took",
    isNumber: true,
    value: (call) => call.duration,
    show: (call) => duration(call.duration),
  },
  {
    key: "endpoint",
    title: "Endpoint",
    value: (call) => call.endpoint,
    isText: true,
    show: (call) => <EndpointLink row={call} />,
  },
  {
    key: "status",
    title: "Status",
    isNumber: true,
    value: (call) => call.status_code,
    show: (call) => call.status_code,
  },
  {
    key: "queries",
    title: "Queries",
    isNumber: true,
    value: (call) => call.query_count,
    show: (call) => `${count(call.query_count)} in ${duration(call.query_duration)}`,
  },
  {
    key: "organization",
    title: "Organisation",
    isExtra: true,
    value: (call) => call.organization_id,
    show: (call) => call.organization_id ?? "–",
  },
  {
    key: "time",
    title: "When",
    value: (call) => call.time,
    show: (call) => <Time at={call.time} />,
  },
  {
    key: "trace",
    title: "Trace",
    isExtra: true,
    value: (call) => call.trace_id,
    show: (call) => <Trace id={call.trace_id} />,
  },
];

const QUERIES: readonly Column<SlowQuery>[] = [
  {
    key: "duration",
    title: "Took",
    isNumber: true,
    value: (query) => query.duration,
    show: (query) => duration(query.duration),
  },
  {
    key: "query",
    title: "Query",
    isText: true,
    value: (query) => query.query,
    show: (query) =>
      query.query === null ? (
        <code>{query.fingerprint}</code>
      ) : (
        <StatementLink row={{ fingerprint: query.fingerprint, query: query.query }} />
      ),
  },
  {
    key: "code",
    title: "Called from",
    value: (query) => query.code?.file ?? null,
    show: (query) => (query.code === null ? "–" : <Code code={query.code} />),
  },
  {
    key: "endpoint",
    title: "Within",
    isExtra: true,
    value: (query) => query.endpoint ?? query.task,
    show: (query) => query.endpoint ?? query.task ?? "–",
  },
  {
    key: "time",
    title: "When",
    value: (query) => query.time,
    show: (query) => <Time at={query.time} />,
  },
  {
    key: "trace",
    title: "Trace",
    isExtra: true,
    value: (query) => query.trace_id,
    show: (query) => <Trace id={query.trace_id} />,
  },
];
