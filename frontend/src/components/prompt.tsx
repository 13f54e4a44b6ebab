/** A small form in place: it says what the server refused, and loses nothing of what was typed. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "number";
  readonly value?: string;
  readonly isOptional?: boolean;
}

interface PromptProps {
  readonly title: string;
  readonly fields: readonly Field[];
  readonly submit: string;
  readonly onSubmit: (values: Readonly<Record<string, string>>) => Promise<void>;
  readonly onCancel: () => void;
}

export function Prompt({ title, fields, submit, onSubmit, onCancel }: PromptProps) {
  const form = useRef<HTMLFormElement>(null);
  const [refusal, setRefusal] = useState("");
  const [isBusy, setBusy] = useState(false);
  // Before the form is seen: later it would take the focus from who has begun to type.
  useLayoutEffect(() => form.current?.querySelector("input")?.focus(), []);

  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (form.current === null) {
      return;
    }
    const given = new FormData(form.current);
    const values = fields.map((field) => [field.name, String(given.get(field.name) ?? "")]);
    setBusy(true);
    try {
      await onSubmit(Object.fromEntries(values) as Record<string, string>);
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <form
      ref={form}
      class="prompt"
      aria-label={title}
      onSubmit={(event) => void send(event)}
      onKeyDown={(event) => event.key === "Escape" && onCancel()}
    >
      {fields.map((field) => (
        <label key={field.name}>
          {field.label}
          <Input field={field} />
        </label>
      ))}
      <div class="actions">
        <button type="submit" class="main" disabled={isBusy}>
          {submit}
        </button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
      {refusal !== "" && (
        <p class="refusal" role="alert">
          {refusal}
        </p>
      )}
    </form>
  );
}

function Input({ field }: { readonly field: Field }) {
  const { name, value = "" } = field;
  if (field.type === "number") {
    return (
      <input name={name} type="number" defaultValue={value} required min="0.1" max="8760" step="any" />
    );
  }
  const isRequired = field.isOptional !== true;
  return <input name={name} defaultValue={value} required={isRequired} maxLength={500} />;
}
