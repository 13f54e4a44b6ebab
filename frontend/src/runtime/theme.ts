/** Dark or light: what the system says, unless the reader has said otherwise here. */

import { Store } from "./store.ts";

export type Theme = "system" | "light" | "dark";

const KEY = "prs-otel-theme";
const ORDER: readonly Theme[] = ["system", "light", "dark"];

export const theme = new Store<Theme>("system");
/** Counts what has changed the colours, so that canvases are drawn anew. */
export const colours = new Store(0);

export function startTheme(): void {
  theme.set(kept());
  apply();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    colours.set(colours.value + 1),
  );
}

export function nextTheme(): void {
  theme.set(ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length] ?? "system");
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // A browser that keeps nothing still shows it until the page is left.
  }
  apply();
}

function apply(): void {
  document.documentElement.dataset["theme"] = theme.value;
  colours.set(colours.value + 1);
}

function kept(): Theme {
  try {
    return ORDER.find((each) => each === localStorage.getItem(KEY)) ?? "system";
  } catch {
    return "system";
  }
}
