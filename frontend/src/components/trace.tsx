/** A trace: a link where the project has said where traces are seen. */

import { useApi } from "../runtime/polled.ts";
import { traceUrl } from "../model/traces.ts";

export function Trace({ id }: { readonly id: string }) {
  const { page } = useApi();
  const url = traceUrl(page.traceUrl, id);
  const short = id.slice(0, 8);
  return url === null ? (
    <code title={id}>{short}</code>
  ) : (
    <a href={url} title={id} rel="noreferrer" target="_blank">
      {short}
    </a>
  );
}
