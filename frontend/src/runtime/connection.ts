/** How the page fares with the server, over everything that it asks. */

import type { Problem } from "./client.ts";
import { Store } from "./store.ts";

export interface Trouble {
  readonly problem: Problem;
  readonly retryAt: number;
}

export interface Connection {
  /** When something was last answered, in seconds since 1970. */
  readonly answeredAt: number | null;
  readonly trouble: Trouble | null;
}

export const connection = new Store<Connection>({ answeredAt: null, trouble: null });

const troubles = new Map<string, Trouble>();

export function noteAnswer(url: string, now: number): void {
  troubles.delete(url);
  publish(now);
}

/** Only what may pass is a matter of the connection; a refusal is shown where it was asked. */
export function noteTrouble(url: string, trouble: Trouble): void {
  if (trouble.problem.isPassing || trouble.problem.status === 401) {
    troubles.set(url, trouble);
    publish(connection.value.answeredAt);
  }
}

export function forget(url: string): void {
  if (troubles.delete(url)) {
    publish(connection.value.answeredAt);
  }
}

function publish(answeredAt: number | null): void {
  const [first = null] = troubles.values();
  connection.set({ answeredAt, trouble: first });
}
