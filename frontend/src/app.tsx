/** The page: its header, and the screen that its address names. */

import { useEffect } from "preact/hooks";
import { Header } from "./components/header.tsx";
import type { State } from "./model/state.ts";
import { useApi } from "./runtime/polled.ts";
import { useRoute } from "./runtime/router.ts";
import { Overview } from "./screens/overview.tsx";

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

function CurrentScreen({ route }: { readonly route: State }) {
  switch (route.screen) {
    default:
      return <Overview />;
  }
}

function titleOf({ screen, details }: State): string {
  const about = details["endpoint"] ?? details["fingerprint"] ?? details["rule"];
  const name = screen.charAt(0).toUpperCase() + screen.slice(1);
  return about === undefined ? name : `${name} ${about}`;
}
