/** A severity or a state, told by its word and its colour. */

export function Badge({ kind, text }: { readonly kind: string; readonly text?: string }) {
  return <span class={`badge ${kind.replace(/[^\w-]/g, "")}`}>{text ?? kind}</span>;
}
