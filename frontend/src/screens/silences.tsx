/** What is not told just now, until when, and because of what. */

import { useState } from "preact/hooks";
import { Badge } from "../components/badge.tsx";
import { Prompt } from "../components/prompt.tsx";
import { Table, type Column } from "../components/table.tsx";
import { Time } from "../components/time.tsx";
import type { Silence, SilenceList } from "../model/alerts.ts";
import { matchersText, parseMatchers, weeklyText } from "../model/silences.ts";
import { address } from "../runtime/client.ts";
import { useAlerting, useApi } from "../runtime/polled.ts";
import { MAY_SILENCE } from "./alert-actions.tsx";
import { Answered } from "./samples.tsx";

export const MAY_SEE_SILENCES = "prs_alerting.view_storedsilence";
const MAY_END = "prs_alerting.delete_storedsilence";

export function Silences() {
  const { page } = useApi();
  const silences = useAlerting<SilenceList>("silences/", { limit: 1000 }, 10);
  const mayEnd = page.permissions.has(MAY_END);
  const ending: Column<Silence> = {
    key: "end",
    title: "",
    value: () => null,
    show: (silence) => <EndButton silence={silence} onDone={silences.refresh} />,
  };
  return (
    <>
      {page.permissions.has(MAY_SILENCE) && <NewSilence onDone={silences.refresh} />}
      <Answered polled={silences}>
        {(document) => (
          <Table
            caption="Silences"
            columns={mayEnd ? [...COLUMNS, ending] : COLUMNS}
            rows={document.items}
            keyOf={(silence) => silence.id}
            empty="Nothing is silenced: everybody is told of everything."
          />
        )}
      </Answered>
    </>
  );
}

function NewSilence({ onDone }: { readonly onDone: () => void }) {
  const { client, page } = useApi();
  const [isOpen, setOpen] = useState(false);
  if (!isOpen) {
    return (
      <button type="button" onClick={() => setOpen(true)}>
        New silence
      </button>
    );
  }
  return (
    <Prompt
      title="New silence"
      fields={[
        { name: "matchers", label: 'Alerts with, as in alertname="errors"' },
        { name: "hours", label: "For how many hours", type: "number", value: "2" },
        { name: "comment", label: "Why" },
      ]}
      submit="Silence"
      onCancel={() => setOpen(false)}
      onSubmit={async ({ matchers = "", hours, comment }) => {
        await client.send("POST", address(page.alertingUrl, "silences/"), {
          matchers: parseMatchers(matchers),
          ends_at: new Date(Date.now() + Number(hours) * 3_600_000).toISOString(),
          comment,
        });
        setOpen(false);
        onDone();
      }}
    />
  );
}

interface EndButtonProps {
  readonly silence: Silence;
  readonly onDone: () => void;
}

function EndButton({ silence, onDone }: EndButtonProps) {
  const { client, page } = useApi();
  const [refusal, setRefusal] = useState("");
  const end = async (): Promise<void> => {
    try {
      await client.send("DELETE", address(page.alertingUrl, `silences/${silence.id}/`));
      onDone();
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <button
        type="button"
        aria-label={`End the silence of ${matchersText(silence.matchers)}`}
        onClick={() => void end()}
      >
        End
      </button>
      {refusal !== "" && <span role="alert">{refusal}</span>}
    </>
  );
}

const COLUMNS: readonly Column<Silence>[] = [
  {
    key: "matchers",
    title: "Alerts with",
    value: (silence) => matchersText(silence.matchers),
    show: (silence) => <code>{matchersText(silence.matchers)}</code>,
  },
  {
    key: "active",
    title: "Now",
    value: (silence) => Number(silence.is_active),
    show: (silence) =>
      silence.is_active ? <Badge kind="info" text="silent" /> : <Badge kind="later" />,
  },
  {
    key: "until",
    title: "Until",
    value: (silence) => silence.ends_at,
    show: (silence) => (
      <>
        <Time at={silence.ends_at} /> <span class="muted">{weeklyText(silence.weekly)}</span>
      </>
    ),
  },
  {
    key: "comment",
    title: "Why",
    value: (silence) => silence.comment,
    show: (silence) => silence.comment,
  },
  {
    key: "author",
    title: "By",
    isExtra: true,
    value: (silence) => silence.author,
    show: (silence) => silence.author,
  },
];
