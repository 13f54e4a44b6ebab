/** What an alert rests on: who contributed most, the line of code, the traces. */

import { ScreenLink } from "../components/link.tsx";
import type { Contributor, Evidence } from "../model/alerts.ts";
import { duration, percent } from "../model/format.ts";
import { condensed } from "../model/sql.ts";
import { Code } from "../components/code.tsx";
import { Trace } from "../components/trace.tsx";

interface EvidenceProps {
  readonly evidence: Evidence;
  readonly limit?: number;
}

export function EvidenceView({ evidence, limit = 5 }: EvidenceProps) {
  const contributors = evidence.contributors?.slice(0, limit) ?? [];
  if (contributors.length === 0 && !evidence.code) {
    return null;
  }
  return (
    <ul class="evidence">
      {contributors.map((each) => (
        <li key={`${each.endpoint} ${each.method} ${each.fingerprint} ${each.task}`}>
          <strong>{percent(each.share)}</strong> by <ContributorLink contributor={each} />{" "}
          <span class="muted extra">{duration(each.value)} on average</span>
        </li>
      ))}
      {evidence.code && (
        <li>
          at <Code code={evidence.code} />
        </li>
      )}
      {limit > 1 &&
        evidence.traces?.map((trace) => (
          <li key={trace}>
            trace <Trace id={trace} />
          </li>
        ))}
    </ul>
  );
}

function ContributorLink({ contributor }: { readonly contributor: Contributor }) {
  const { endpoint, fingerprint, method = "", query, task } = contributor;
  if (fingerprint !== undefined) {
    return (
      <ScreenLink screen="query" details={{ fingerprint }} class="sql-line" title={query ?? ""}>
        {query === undefined ? fingerprint : condensed(query)}
      </ScreenLink>
    );
  }
  if (endpoint !== undefined) {
    return (
      <ScreenLink screen="endpoint" details={{ endpoint, method }}>
        {method} {endpoint}
      </ScreenLink>
    );
  }
  return <span>{task}</span>;
}
