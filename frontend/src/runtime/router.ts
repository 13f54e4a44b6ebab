/** The address of the page, followed and changed. */

import { parseState, writeState, type Screen, type State, type Stretch } from "../model/state.ts";
import { Store, useStore } from "./store.ts";

export const state = new Store<State>(parseState(""));

export function startRouting(): void {
  state.set(parseState(location.search));
  addEventListener("popstate", () => state.set(parseState(location.search)));
}

export function useRoute(): State {
  return useStore(state);
}

/** Go to another state; `isSmall` changes do not make an entry of their own in the history. */
export function go(next: State, { isSmall = false } = {}): void {
  const url = `${location.pathname}${writeState(next)}`;
  if (url === `${location.pathname}${location.search}`) {
    return;
  }
  if (isSmall) {
    history.replaceState(null, "", url);
  } else {
    history.pushState(null, "", url);
  }
  state.set(next);
}

/** The same window on another screen. */
export function screenState(
  screen: Screen,
  details: Readonly<Record<string, string>> = {},
): State {
  return { ...state.value, screen, details };
}

export function hrefOf(next: State): string {
  const text = writeState(next);
  return text === "" ? location.pathname : text;
}

export function zoomTo(zoom: Stretch | null): void {
  go({ ...state.value, zoom });
}

export function setDetail(name: string, value: string): void {
  const details = { ...state.value.details, [name]: value };
  go({ ...state.value, details }, { isSmall: true });
}
