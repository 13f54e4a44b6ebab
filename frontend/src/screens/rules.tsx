/** The rules in force; each can be tried on the figures of now. */

import { useState } from "preact/hooks";
import { Badge } from "../components/badge.tsx";
import { ScreenLink } from "../components/link.tsx";
import { Notice } from "../components/notice.tsx";
import { Table, type Column } from "../components/table.tsx";
import type { Rule, RuleList, RuleTrial } from "../model/alerts.ts";
import { number } from "../model/format.ts";
import { address } from "../runtime/client.ts";
import { useAlerting, useApi } from "../runtime/polled.ts";
import { Answered } from "./samples.tsx";

export const MAY_READ_RULES = "prs_alerting.view_storedrule";

export function Rules() {
  const rules = useAlerting<RuleList>("rules/", { limit: 1000 }, 30);
  return (
    <Answered polled={rules}>
      {(document) => (
        <Table
          caption="Rules in force"
          columns={COLUMNS}
          rows={document.items}
          keyOf={(rule) => rule.name}
          textOf={(rule) => `${rule.name} ${rule.text ?? ""} ${rule.origin}`}
          orderedBy="sort"
          order="name"
        />
      )}
    </Answered>
  );
}

function Trial({ rule }: { readonly rule: Rule }) {
  const { client, page } = useApi();
  const [trial, setTrial] = useState<RuleTrial | string | null>(null);
  const run = async (): Promise<void> => {
    try {
      const url = address(page.alertingUrl, "rules/test/");
      setTrial(await client.send<RuleTrial>("POST", url, { rule_name: rule.name }));
    } catch (error) {
      setTrial(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div class="trial">
      <button type="button" aria-label={`Test ${rule.name}`} onClick={() => void run()}>
        Test
      </button>
      {typeof trial === "string" && <Notice kind="critical">{trial}</Notice>}
      {trial !== null && typeof trial !== "string" && <TrialResult trial={trial} />}
    </div>
  );
}

function TrialResult({ trial }: { readonly trial: RuleTrial }) {
  const worst = trial.results[0];
  if (trial.last_error !== "") {
    return <Notice kind="critical">{trial.last_error}</Notice>;
  }
  return (
    <span role="status">
      {trial.would_fire ? (
        <Badge kind={worst?.severity ?? "warning"} text="would fire" />
      ) : (
        <Badge kind="ok" text="would not fire" />
      )}{" "}
      {worst === undefined
        ? "no data"
        : worst.value === null
          ? "too little data"
          : `now ${number(worst.value)}${worst.threshold === null ? "" : `, beyond ${number(worst.threshold)}`}`}
    </span>
  );
}

const COLUMNS: readonly Column<Rule>[] = [
  {
    key: "name",
    title: "Rule",
    value: (rule) => rule.name,
    show: (rule) => (
      <ScreenLink screen="alert" details={{ rule: rule.name }}>
        {rule.name}
      </ScreenLink>
    ),
  },
  {
    key: "text",
    title: "Fires when",
    value: (rule) => rule.text,
    show: (rule) => <code class="rule-text">{rule.text ?? "a condition in Python holds"}</code>,
  },
  {
    key: "origin",
    title: "From",
    isExtra: true,
    value: (rule) => rule.origin,
    show: (rule) => rule.origin,
  },
  {
    key: "health",
    title: "Health",
    value: (rule) => rule.health,
    show: (rule) => (
      <>
        <Badge kind={rule.health} /> {rule.last_error}
      </>
    ),
  },
  { key: "test", title: "Now", value: () => null, show: (rule) => <Trial rule={rule} /> },
];
