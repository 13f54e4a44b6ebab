/** The page: its header, and the screen that its address names. */

import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { Header } from "./components/header.tsx";
import type { Screen, State } from "./model/state.ts";
import { useApi } from "./runtime/polled.ts";
import { useRoute } from "./runtime/router.ts";
import { Alert } from "./screens/alert.tsx";
import { Alerts } from "./screens/alerts.tsx";
import { Endpoint } from "./screens/endpoint.tsx";
import { Endpoints } from "./screens/endpoints.tsx";
import { Hosts } from "./screens/hosts.tsx";
import { Overview } from "./screens/overview.tsx";
import { Queries } from "./screens/queries.tsx";
import { Query } from "./screens/query.tsx";
import { Tenants } from "./screens/tenants.tsx";

export function App() {
  const { page } = useApi();
  const route = useRoute();
  const title = titleOf(route);
  useEffect(() => {
    document.title = `${title} · ${page.service}`;
  }, [title, page.service]);
  return (
    <>
      <Header />
      <main id="content">
        <CurrentScreen route={route} />
      </main>
      <footer>
        prs-otel {page.version} · signed in as {page.user}
      </footer>
    </>
  );
}

const SCREENS: Record<Screen, () => VNode> = {
  overview: Overview,
  endpoints: Endpoints,
  endpoint: Endpoint,
  queries: Queries,
  query: Query,
  tenants: Tenants,
  hosts: Hosts,
  alerts: Alerts,
  alert: Alert,
};

function CurrentScreen({ route }: { readonly route: State }) {
  const Current = SCREENS[route.screen];
  // Another endpoint is another screen: nothing of the one before is shown meanwhile.
  const { endpoint, fingerprint, organization, alert, rule } = route.details;
  return <Current key={[endpoint, fingerprint, organization, alert, rule].join()} />;
}

function titleOf({ screen, details }: State): string {
  const about = details["endpoint"] ?? details["fingerprint"] ?? details["rule"];
  const name = screen.charAt(0).toUpperCase() + screen.slice(1);
  return about === undefined ? name : `${name} ${about}`;
}
