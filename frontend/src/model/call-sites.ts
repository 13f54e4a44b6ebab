/** From where a statement is run. */

import type { CodeLocation, RepeatedStatement, SlowQuery } from "./documents.ts";

export interface CallSite {
  readonly code: CodeLocation;
  /** Of the samples that are known, how many came from there. */
  readonly sampleCount: number;
  readonly repeatCount: number;
}

export function callSitesOf(
  samples: readonly Pick<SlowQuery, "code">[],
  findings: readonly Pick<RepeatedStatement, "code" | "repeat_count">[],
): CallSite[] {
  const found = new Map<string, CallSite>();
  const add = (code: CodeLocation | null, sampleCount: number, repeatCount: number): void => {
    if (code === null) {
      return;
    }
    const key = `${code.file}:${code.line}:${code.function}`;
    const before = found.get(key) ?? { code, sampleCount: 0, repeatCount: 0 };
    found.set(key, {
      code,
      sampleCount: before.sampleCount + sampleCount,
      repeatCount: before.repeatCount + repeatCount,
    });
  };
  samples.forEach(({ code }) => add(code, 1, 0));
  findings.forEach(({ code, repeat_count }) => add(code, 0, repeat_count));
  return [...found.values()].sort(
    (first, second) =>
      second.sampleCount + second.repeatCount - (first.sampleCount + first.repeatCount),
  );
}
