/** Begin: read what the server has written, and show the screen that the address names. */

import { render } from "preact";
import { App } from "./app.tsx";
import { readPage } from "./page.ts";
import { Client } from "./runtime/client.ts";
import { ApiProvider } from "./runtime/polled.ts";
import { startRouting } from "./runtime/router.ts";
import { startTheme } from "./runtime/theme.ts";
import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/layout.css";
import "./styles/parts.css";
import "./styles/alerts.css";
import "./styles/charts.css";
import "./styles/tables.css";

const host = document.getElementById("prs-dashboard");
if (host !== null) {
  const page = readPage(host.dataset);
  startRouting();
  startTheme();
  host.replaceChildren();
  render(
    <ApiProvider value={{ page, client: new Client(page.csrfToken) }}>
      <App />
    </ApiProvider>,
    host,
  );
}
