/** A time in the reader's zone, with UTC for whoever points at it. */

import { secondsOf, shown, utc } from "../model/times.ts";

export function Time({ at }: { readonly at: string }) {
  const seconds = secondsOf(at);
  return (
    <time dateTime={at} title={utc(seconds)}>
      {shown(seconds, Date.now() / 1000)}
    </time>
  );
}
