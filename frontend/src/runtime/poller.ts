/** Ask again and again: not in a hidden tab, and more and more seldom while it fails. */

import { Problem } from "./client.ts";

export interface Surroundings {
  now(): number;
  later(seconds: number, run: () => void): () => void;
  isHidden(): boolean;
  onVisible(run: () => void): () => void;
  random(): number;
}

export interface Update<T> {
  readonly document?: T;
  readonly problem?: Problem;
  readonly failures: number;
  /** When it is asked again after a failure, in seconds since 1970. */
  readonly retryAt: number | null;
}

const LONGEST = 120;

/** Seconds until the next try: doubled with each failure, spread by a fifth. */
export function backoff(every: number, failures: number, random: number): number {
  if (failures === 0) {
    return every;
  }
  const longest = Math.max(LONGEST, every);
  return Math.min(every * 2 ** Math.min(failures, 10), longest) * (0.9 + 0.2 * random);
}

export class Poller<T> {
  #failures = 0;
  #abort: AbortController | undefined;
  #cancel: (() => void) | undefined;
  #stopWatching: (() => void) | undefined;
  #lastAskedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly load: (signal: AbortSignal) => Promise<T>,
    private readonly every: number,
    private readonly tell: (update: Update<T>) => void,
    private readonly around: Surroundings,
  ) {}

  start(): void {
    this.#stopWatching = this.around.onVisible(() => this.#resume());
    void this.#ask();
  }

  stop(): void {
    this.#stopWatching?.();
    this.#cancel?.();
    this.#abort?.abort();
    this.#abort = undefined;
  }

  /** Ask at once, because something was changed or somebody wants to know. */
  refresh(): void {
    void this.#ask();
  }

  #resume(): void {
    if (this.around.now() - this.#lastAskedAt >= this.every) {
      void this.#ask();
    } else {
      this.#schedule(this.every);
    }
  }

  async #ask(): Promise<void> {
    this.#cancel?.();
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#lastAskedAt = this.around.now();
    try {
      const document = await this.load(abort.signal);
      if (!abort.signal.aborted) {
        this.#failures = 0;
        this.tell({ document, failures: 0, retryAt: null });
        this.#schedule(this.every);
      }
    } catch (error) {
      if (!abort.signal.aborted) {
        this.#failed(error);
      }
    }
  }

  #failed(error: unknown): void {
    this.#failures += 1;
    const problem = error instanceof Problem ? error : new Problem(0, String(error));
    const delay = problem.isPassing
      ? backoff(this.every, this.#failures, this.around.random())
      : LONGEST;
    const retryAt = this.around.now() + delay;
    this.tell({ problem, failures: this.#failures, retryAt });
    this.#schedule(delay);
  }

  #schedule(seconds: number): void {
    this.#cancel?.();
    this.#cancel = this.around.later(seconds, () => {
      // A hidden page asks nothing; it is asked again when somebody looks at it.
      if (!this.around.isHidden()) {
        void this.#ask();
      }
    });
  }
}

/** The browser, as a poller needs it. */
export const browser: Surroundings = {
  now: () => Date.now() / 1000,
  later: (seconds, run) => {
    const timer = setTimeout(run, seconds * 1000);
    return () => clearTimeout(timer);
  },
  isHidden: () => document.hidden,
  onVisible: (run) => {
    const listen = (): void => {
      if (!document.hidden) {
        run();
      }
    };
    document.addEventListener("visibilitychange", listen);
    return () => document.removeEventListener("visibilitychange", listen);
  },
  random: Math.random,
};
