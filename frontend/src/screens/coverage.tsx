/** What has to be known before figures are believed: how much of the window there is. */

import { Notice } from "../components/notice.tsx";
import type { WindowDocument } from "../model/documents.ts";
import { span } from "../model/format.ts";
import { secondsOf, shown, utc } from "../model/times.ts";

// The last flush of each worker is always still to come.
const TOLERATED = 0.97;
const STALE_AFTER = 90;

export function Coverage({ window }: { readonly window: WindowDocument }) {
  const now = Date.now() / 1000;
  const end = secondsOf(window.end);
  const since = end - window.covered_seconds;
  if (now - end > STALE_AFTER) {
    return (
      <Notice kind="warning" title={`Nothing new for ${span(now - end)}.`}>
        No worker has stored anything since <span title={utc(end)}>{shown(end, now)}</span>. Is the
        server running? <code>manage.py manage_monitoring doctor</code> says why.
      </Notice>
    );
  }
  if (window.covered_seconds >= window.seconds * TOLERATED) {
    return null;
  }
  return (
    <Notice>
      <span class="line">
        Measured since <span title={utc(since)}>{shown(since, now)}</span>:
      </span>{" "}
      <span class="line">
        {span(window.covered_seconds)} of {span(window.seconds)}.
      </span>
    </Notice>
  );
}
