/** What is said in the place of figures, or about them. */

import type { ComponentChildren } from "preact";
import type { Problem } from "../runtime/client.ts";

interface NoticeProps {
  readonly kind?: "info" | "warning" | "critical";
  readonly title?: string;
  readonly children: ComponentChildren;
}

export function Notice({ kind = "info", title, children }: NoticeProps) {
  return (
    <div class={`notice ${kind}`} role={kind === "critical" ? "alert" : "status"}>
      {title !== undefined && <strong>{title}</strong>} {children}
    </div>
  );
}

/** Why there is no answer, where one was expected. */
export function ProblemNotice({ problem }: { readonly problem: Problem }) {
  if (problem.status === 403) {
    return <Notice title="Not for this account.">{problem.message}</Notice>;
  }
  if (problem.status === 401) {
    return (
      <Notice kind="critical" title="You are signed out.">
        <a href="">Sign in again</a>
      </Notice>
    );
  }
  return (
    <Notice kind="critical" title="This cannot be shown.">
      {problem.message}
    </Notice>
  );
}

/** The place that figures will take, so that nothing moves when they come. */
export function Waiting({ lines = 6 }: { readonly lines?: number }) {
  return (
    <div class={`waiting lines-${lines}`} role="status" aria-label="Loading" />
  );
}
