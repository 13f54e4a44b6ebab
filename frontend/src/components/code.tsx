/** A place in the project's code. */

import type { CodeLocation } from "../model/documents.ts";

export function Code({ code }: { readonly code: CodeLocation }) {
  return (
    <code class="code">
      {code.file}:{code.line} <span class="muted">in {code.function}</span>
    </code>
  );
}
