/** The top of the page: where one is, which window, and whether it is live. */

import { useEffect, useState } from "preact/hooks";
import { span } from "../model/format.ts";
import { shown, utc } from "../model/times.ts";
import { WINDOWS, type Screen, type WindowName } from "../model/state.ts";
import { connection, type Connection, type Trouble } from "../runtime/connection.ts";
import { useApi } from "../runtime/polled.ts";
import { go, useRoute } from "../runtime/router.ts";
import { useStore } from "../runtime/store.ts";
import { nextTheme, theme } from "../runtime/theme.ts";
import { Link, ScreenLink } from "./link.tsx";

interface Destination {
  readonly screen: Screen;
  readonly title: string;
  /** The screens that lie below it. */
  readonly holds: readonly Screen[];
}

const FOR_STAFF: readonly Destination[] = [
  { screen: "overview", title: "Overview", holds: ["overview"] },
  { screen: "endpoints", title: "Endpoints", holds: ["endpoints", "endpoint"] },
  { screen: "queries", title: "Queries", holds: ["queries", "query"] },
  { screen: "tenants", title: "Organisations", holds: ["tenants"] },
  { screen: "hosts", title: "Hosts", holds: ["hosts"] },
];
const ALERTS: Destination = { screen: "alerts", title: "Alerts", holds: ["alerts", "alert"] };
const FOR_OTHERS: readonly Destination[] = FOR_STAFF.slice(0, 1);

export function Header() {
  const { page } = useApi();
  return (
    <header class="top">
      <a class="skip" href="#content">
        Skip to the figures
      </a>
      <ScreenLink screen="overview" class="brand">
        {page.service}
      </ScreenLink>
      <Navigation />
      <div class="controls">
        <Windows />
        <Liveness />
        <ThemeButton />
      </div>
    </header>
  );
}

function Navigation() {
  const { page } = useApi();
  const { screen } = useRoute();
  const destinations = page.role === "staff" ? FOR_STAFF : FOR_OTHERS;
  const all = page.alertingUrl === "" ? destinations : [...destinations, ALERTS];
  return (
    <nav aria-label="Screens">
      {all.map((each) => (
        <ScreenLink
          key={each.screen}
          screen={each.screen}
          isCurrent={each.holds.includes(screen)}
        >
          {each.title}
        </ScreenLink>
      ))}
    </nav>
  );
}

function Windows() {
  const route = useRoute();
  return (
    <div class="windows" role="group" aria-label="Window">
      {route.zoom !== null && (
        <Link to={{ ...route, zoom: null }} class="zoomed" title="Show the whole window again">
          {span(route.zoom.until - route.zoom.from)} ✕
        </Link>
      )}
      <label>
        <span class="unseen">Window</span>
        <select
          value={route.window}
          onChange={(event) =>
            go({ ...route, zoom: null, window: event.currentTarget.value as WindowName })
          }
        >
          {Object.keys(WINDOWS).map((name) => (
            <option key={name} value={name}>
              Last {name}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** Of one width whatever it says, as what lies beside it must not move. */
function Liveness() {
  const { answeredAt, trouble } = useStore(connection);
  if (trouble !== null) {
    return (
      <>
        <span class="live failing">Failing</span>
        <TroubleNotice trouble={trouble} answeredAt={answeredAt} />
      </>
    );
  }
  if (answeredAt === null) {
    return <span class="live">…</span>;
  }
  return (
    <span class="live working" title={`Last answer: ${utc(answeredAt)}`}>
      Live
    </span>
  );
}

/** Said only when there is something to say: a clock that ticks helps nobody who listens. */
function TroubleNotice({ trouble, answeredAt }: Connection & { readonly trouble: Trouble }) {
  const now = useSeconds();
  const wait = Math.max(0, trouble.retryAt - now);
  return (
    <span class="trouble" role="status">
      {trouble.problem.message} {answeredAt !== null && `Shown: ${shown(answeredAt, now)}. `}
      Next try in {span(wait)}.
    </span>
  );
}

function useSeconds(): number {
  const [now, setNow] = useState(Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

const THEMES = {
  system: { sign: "◐", name: "Auto" },
  light: { sign: "☀", name: "Light" },
  dark: { sign: "☾", name: "Dark" },
} as const;

function ThemeButton() {
  const current = useStore(theme);
  return (
    <button
      type="button"
      class="plain theme"
      onClick={nextTheme}
      aria-label={`Theme: ${THEMES[current].name}`}
    >
      <span aria-hidden="true">{THEMES[current].sign}</span>{" "}
      <span class="extra">{THEMES[current].name}</span>
    </button>
  );
}
