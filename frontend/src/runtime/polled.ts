/** What a component asks of the API for as long as it is on the screen. */

import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Page } from "../page.ts";
import { address, Client, type Problem } from "./client.ts";
import { forget, noteAnswer, noteTrouble } from "./connection.ts";
import { browser, Poller } from "./poller.ts";

export interface Api {
  readonly page: Page;
  readonly client: Client;
}

const ApiContext = createContext<Api | null>(null);
export const ApiProvider = ApiContext.Provider;

export function useApi(): Api {
  const api = useContext(ApiContext);
  if (api === null) {
    throw new Error("There is no ApiProvider above this component.");
  }
  return api;
}

export interface Polled<T> {
  readonly document: T | undefined;
  readonly problem: Problem | undefined;
  /** Whether the document is still that of an earlier address. */
  readonly isOutdated: boolean;
  readonly refresh: () => void;
}

interface Held<T> {
  readonly url: string | null;
  readonly document: T | undefined;
  readonly problem: Problem | undefined;
}

/** Poll `url`, null for nothing. While another is fetched, the last document stays. */
export function usePolled<T>(url: string | null, everySeconds: number): Polled<T> {
  const { client } = useApi();
  const [held, setHeld] = useState<Held<T>>({ url: null, document: undefined, problem: undefined });
  const poller = useRef<Poller<T> | null>(null);
  useEffect(() => {
    if (url === null) {
      return undefined;
    }
    const current = new Poller<T>(
      (signal) => client.read<T>(url, signal),
      everySeconds,
      ({ document, problem, retryAt }) => {
        if (problem !== undefined) {
          noteTrouble(url, { problem, retryAt: retryAt ?? 0 });
          setHeld((before) => ({ ...before, problem }));
          return;
        }
        noteAnswer(url, browser.now());
        setHeld((before) =>
          before.document === document && before.url === url && before.problem === undefined
            ? before
            : { url, document, problem: undefined },
        );
      },
      browser,
    );
    poller.current = current;
    current.start();
    return () => {
      current.stop();
      forget(url);
    };
  }, [client, url, everySeconds]);
  return {
    document: held.document,
    problem: held.problem,
    isOutdated: held.url !== url,
    refresh: () => poller.current?.refresh(),
  };
}

type Query = Readonly<Record<string, string | number | undefined>>;

export function useMonitoring<T>(path: string | null, query: Query, every: number): Polled<T> {
  const { page } = useApi();
  return usePolled<T>(path === null ? null : address(page.monitoringUrl, path, query), every);
}

/** The same of alerting; nothing is asked where this reader may not. */
export function useAlerting<T>(path: string | null, query: Query, every: number): Polled<T> {
  const { page } = useApi();
  const isThere = path !== null && page.alertingUrl !== "";
  return usePolled<T>(isThere ? address(page.alertingUrl, path, query) : null, every);
}
