/** What can be done about an alert in place: acknowledge it, or silence its like. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ScreenLink } from "../components/link.tsx";
import { Prompt } from "../components/prompt.tsx";
import type { Alert } from "../model/alerts.ts";
import { matchersOf } from "../model/silences.ts";
import { address } from "../runtime/client.ts";
import { useApi } from "../runtime/polled.ts";

export const MAY_ACKNOWLEDGE = "prs_alerting.change_alert";
export const MAY_SILENCE = "prs_alerting.add_storedsilence";

interface AlertActionsProps {
  readonly alert: Alert;
  readonly onChange: () => void;
  /** Whether who was told is shown here already. */
  readonly isExplained?: boolean;
  /** What else there is to do. */
  readonly children?: ComponentChildren;
}

type Open = "acknowledge" | "silence" | null;

export function AlertActions({ alert, onChange, isExplained = false, children }: AlertActionsProps) {
  const { page } = useApi();
  const [open, setOpen] = useState<Open>(null);
  const close = (): void => setOpen(null);
  const done = (): void => {
    close();
    onChange();
  };
  if (open === "acknowledge") {
    return <AcknowledgeForm alert={alert} onDone={done} onCancel={close} />;
  }
  if (open === "silence") {
    return <SilenceForm alert={alert} onDone={done} onCancel={close} />;
  }
  const isOpen = alert.resolved_at === null;
  return (
    <div class="actions">
      {page.permissions.has(MAY_SILENCE) && (
        <button type="button" onClick={() => setOpen("silence")}>
          Silence
        </button>
      )}
      {!isExplained && (
        <ScreenLink screen="alert" details={{ alert: alert.id }} class="button">
          Who was told?
        </ScreenLink>
      )}
      {page.permissions.has(MAY_ACKNOWLEDGE) && (
        <button
          type="button"
          // The last, and its place stays when the alert is over: no button moves under a finger.
          class={isOpen ? "" : "gone"}
          onClick={() => setOpen("acknowledge")}
        >
          Acknowledge
        </button>
      )}
      {children}
    </div>
  );
}

interface FormProps {
  readonly alert: Alert;
  readonly onDone: () => void;
  readonly onCancel: () => void;
}

function AcknowledgeForm({ alert, onDone, onCancel }: FormProps) {
  const { client, page } = useApi();
  return (
    <Prompt
      title={`Acknowledge ${alert.name}`}
      fields={[{ name: "note", label: "What is being done", isOptional: true }]}
      submit="Acknowledge"
      onCancel={onCancel}
      onSubmit={async ({ note }) => {
        const url = address(page.alertingUrl, `alerts/${alert.id}/acknowledge/`);
        await client.send("POST", url, { note });
        onDone();
      }}
    />
  );
}

function SilenceForm({ alert, onDone, onCancel }: FormProps) {
  const { client, page } = useApi();
  return (
    <Prompt
      title={`Silence ${alert.name} on these labels`}
      fields={[
        { name: "hours", label: "For how many hours", type: "number", value: "2" },
        { name: "comment", label: "Why" },
      ]}
      submit="Silence"
      onCancel={onCancel}
      onSubmit={async ({ hours, comment }) => {
        const end = Date.now() + Number(hours) * 3_600_000;
        await client.send("POST", address(page.alertingUrl, "silences/"), {
          matchers: matchersOf(alert),
          ends_at: new Date(end).toISOString(),
          comment,
        });
        onDone();
      }}
    />
  );
}
