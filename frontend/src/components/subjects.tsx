/** What rows are about, as links to it, and how often it failed. */

import { percent } from "../model/format.ts";
import { condensed } from "../model/sql.ts";
import { useApi } from "../runtime/polled.ts";
import { ScreenLink } from "./link.tsx";

interface EndpointLinkProps {
  readonly row: { readonly endpoint: string; readonly method: string };
}

/** Endpoints are not counted apart by organisation: who sees only one is given no link. */
export function EndpointLink({ row }: EndpointLinkProps) {
  const { page } = useApi();
  const { endpoint, method } = row;
  const name = (
    <>
      <span class="method">{method}</span> {endpoint}
    </>
  );
  if (page.role !== "staff") {
    return <span class="endpoint">{name}</span>;
  }
  return (
    <ScreenLink screen="endpoint" details={{ endpoint, method }} class="endpoint">
      {name}
    </ScreenLink>
  );
}

interface StatementLinkProps {
  readonly row: { readonly fingerprint: string; readonly query: string };
}

export function StatementLink({ row }: StatementLinkProps) {
  const { fingerprint, query } = row;
  return (
    <ScreenLink screen="query" details={{ fingerprint }} class="sql-line" title={query}>
      {condensed(query) || fingerprint}
    </ScreenLink>
  );
}

export function ErrorRate({ rate }: { readonly rate: number }) {
  return <span class={rate > 0 ? "bad" : "muted"}>{percent(rate)}</span>;
}
