/** One alert, or one rule with its latest alerts: step by step, who was told, and why not. */

import { Badge } from "../components/badge.tsx";
import { Link, ScreenLink } from "../components/link.tsx";
import { Notice } from "../components/notice.tsx";
import { Time } from "../components/time.tsx";
import {
  lasted,
  type Alert as AlertDocument,
  type ExplainedAlert,
  type Explanation,
} from "../model/alerts.ts";
import { span } from "../model/format.ts";
import { secondsOf } from "../model/times.ts";
import { useAlerting } from "../runtime/polled.ts";
import { useRoute } from "../runtime/router.ts";
import { AlertActions } from "./alert-actions.tsx";
import { EvidenceView } from "./evidence.tsx";
import { Answered } from "./samples.tsx";

const EVERY = 10;
const AROUND = 600;

export function Alert() {
  const { details } = useRoute();
  const [id, rule] = [details["alert"], details["rule"]];
  return (
    <>
      <p class="trail">
        <ScreenLink screen="alerts">Alerts</ScreenLink> ›
      </p>
      {id !== undefined && <OneAlert id={id} />}
      {id === undefined && rule !== undefined && <OneRule name={rule} />}
    </>
  );
}

function OneAlert({ id }: { readonly id: string }) {
  const explained = useAlerting<ExplainedAlert>("explain/", { alert_id: id }, EVERY);
  return (
    <Answered polled={explained}>
      {(document) => (
        <>
          <h1>{document.alert.name}</h1>
          <AlertFacts alert={document.alert} onChange={explained.refresh} />
          <h2>What happened, and who was told</h2>
          <Steps steps={document.steps} />
        </>
      )}
    </Answered>
  );
}

function OneRule({ name }: { readonly name: string }) {
  const explained = useAlerting<Explanation>("explain/", { rule: name }, EVERY);
  return (
    <>
      <h1>{name}</h1>
      <Answered polled={explained}>
        {({ health, alerts, reasons, verdict }) => (
          <>
            {health === null ? (
              <Notice kind="warning">The evaluator does not know this rule.</Notice>
            ) : (
              <p>
                <Badge kind={health.health} /> {health.text !== null && <code>{health.text}</code>}{" "}
                {health.last_error}
              </p>
            )}
            <Reasons reasons={reasons} verdict={verdict} />
            {alerts.length === 0 && <p class="muted">It has never fired.</p>}
            {alerts.map(({ alert, steps }) => (
              <section key={alert.id}>
                <h2>
                  <ScreenLink screen="alert" details={{ alert: alert.id }}>
                    <Time at={alert.fired_at} />
                  </ScreenLink>{" "}
                  for {span(lasted(alert))}
                </h2>
                <Steps steps={steps} />
              </section>
            ))}
          </>
        )}
      </Answered>
    </>
  );
}

/** From a figure to a message: what lets an alert pass, and what holds it up. */
function Reasons({ reasons, verdict }: Pick<Explanation, "reasons" | "verdict">) {
  if (reasons.length === 0) {
    return null;
  }
  return (
    <section>
      <h2>From the figure to the message</h2>
      <p>
        {verdict === "" ? (
          "Nothing holds it up."
        ) : (
          <>
            It is held up by: <strong>{verdict}</strong>
          </>
        )}
      </p>
      <ol class="steps">
        {reasons.map(({ step, passes, text }) => (
          <li key={step}>
            <Badge kind={passes ? "ok" : "held"} text={`${passes ? "✓" : "✗"} ${step}`} /> {text}
          </li>
        ))}
      </ol>
    </section>
  );
}

interface AlertFactsProps {
  readonly alert: AlertDocument;
  readonly onChange: () => void;
}

function AlertFacts({ alert, onChange }: AlertFactsProps) {
  return (
    <article class={`alert-card ${alert.severity}`}>
      <header>
        <Badge kind={alert.severity} />
        <Badge kind={alert.state} />
        <span class="since">
          <Time at={alert.fired_at} />
          {alert.resolved_at !== null && (
            <>
              {" – "}
              <Time at={alert.resolved_at} />
            </>
          )}{" "}
          ({span(lasted(alert))})
        </span>
      </header>
      <p class="message">{alert.message}</p>
      <p class="labels">
        {Object.entries(alert.labels).map(([name, value]) => (
          <code key={name}>
            {name}="{value}"
          </code>
        ))}
      </p>
      <EvidenceView evidence={alert.evidence} />
      {alert.acknowledged_by !== null && (
        <p class="acknowledged">
          {alert.acknowledged_by} knows
          {alert.acknowledgement ? `: ${alert.acknowledgement}` : "."}
        </p>
      )}
      <AlertActions alert={alert} onChange={onChange} isExplained>
        <Meanwhile alert={alert} />
        <ScreenLink screen="alert" details={{ rule: alert.name }} class="button">
          The rule and its other alerts
        </ScreenLink>
      </AlertActions>
    </article>
  );
}

/** The charts of the time around an alert. */
function Meanwhile({ alert }: { readonly alert: AlertDocument }) {
  const route = useRoute();
  const from = secondsOf(alert.fired_at) - AROUND;
  const end = alert.resolved_at === null ? Date.now() / 1000 : secondsOf(alert.resolved_at);
  const zoom = { from, until: end + AROUND / 2 };
  return (
    <Link to={{ ...route, screen: "overview", details: {}, zoom }} class="button">
      Charts of this time
    </Link>
  );
}

function Steps({ steps }: { readonly steps: ExplainedAlert["steps"] }) {
  return (
    <ol class="steps">
      {steps.map((step) => (
        <li key={`${step.time} ${step.kind}`}>
          <div>
            <Time at={step.time} /> <Badge kind={step.kind} /> <Badge kind={step.severity} />{" "}
            {step.message} {step.reason !== "" && <span class="muted">{step.reason}</span>}
          </div>
          {step.deliveries.length > 0 && (
            <ul>
              {step.deliveries.map((delivery) => (
                <li key={delivery.channel}>
                  <strong>{delivery.channel}</strong> <Badge kind={delivery.state} />{" "}
                  {delivery.recipients.join(", ")} {delivery.reason}{" "}
                  {delivery.last_error !== "" && <span class="bad">{delivery.last_error}</span>}
                </li>
              ))}
            </ul>
          )}
        </li>
      ))}
    </ol>
  );
}
