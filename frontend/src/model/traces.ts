/** Where a trace is seen. */

/** Return the address of a trace; null without a template, or with one that is no web page. */
export function traceUrl(template: string, id: string): string | null {
  if (!/^https?:\/\//.test(template) || !template.includes("{trace_id}")) {
    return null;
  }
  return template.replaceAll("{trace_id}", encodeURIComponent(id));
}
