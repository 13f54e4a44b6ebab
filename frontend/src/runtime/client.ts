/** The JSON API: reads that may be unchanged, and writes with the CSRF token. */

export class Problem extends Error {
  constructor(
    /** The HTTP status; 0 when there was no answer at all. */
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  /** Whether asking again may help. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

interface Kept {
  readonly etag: string;
  readonly document: unknown;
}

const KEPT_LIMIT = 40;

export class Client {
  readonly #kept = new Map<string, Kept>();
  readonly #csrfToken: string;
  readonly #fetch: typeof fetch;

  constructor(csrfToken: string, fetcher: typeof fetch = (...asked) => fetch(...asked)) {
    this.#csrfToken = csrfToken;
    this.#fetch = fetcher;
  }

  /** Return the document at `url`; the very same object as before when it has not changed. */
  async read<T>(url: string, signal?: AbortSignal): Promise<T> {
    const kept = this.#kept.get(url);
    const headers: Record<string, string> = { Accept: "application/json" };
    if (kept !== undefined) {
      headers["If-None-Match"] = kept.etag;
    }
    const response = await this.#ask(url, { headers, cache: "no-store", ...(signal && { signal }) });
    if (response.status === 304 && kept !== undefined) {
      return kept.document as T;
    }
    const document = await answered<T>(response);
    this.#keep(url, response.headers.get("ETag"), document);
    return document;
  }

  /** Change something; a body of undefined sends none. */
  async send<T>(method: "POST" | "DELETE", url: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = {
      Accept: "application/json",
      "X-CSRFToken": this.#csrfToken,
    };
    if (body === undefined) {
      return answered<T>(await this.#ask(url, { method, headers }));
    }
    headers["Content-Type"] = "application/json";
    return answered<T>(await this.#ask(url, { method, headers, body: JSON.stringify(body) }));
  }

  async #ask(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#fetch(url, { credentials: "same-origin", ...init });
    } catch (error) {
      if (init.signal?.aborted) {
        throw error;
      }
      throw new Problem(0, "The server does not answer.");
    }
  }

  #keep(url: string, etag: string | null, document: unknown): void {
    this.#kept.delete(url);
    if (etag !== null) {
      this.#kept.set(url, { etag, document });
    }
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_LIMIT) {
        break;
      }
      this.#kept.delete(oldest);
    }
  }
}

async function answered<T>(response: Response): Promise<T> {
  const document: unknown = await response.json().catch(() => undefined);
  if (response.ok && document !== undefined) {
    return document as T;
  }
  const told = detailOf(document) ?? `The server answered ${response.status}.`;
  throw new Problem(response.ok ? 502 : response.status, told);
}

/** The words in an error of the API: one text, or one for each mistake. */
function detailOf(document: unknown): string | undefined {
  const detail = (document as { detail?: unknown } | undefined)?.detail;
  if (typeof detail === "string") {
    return detail;
  }
  if (Array.isArray(detail)) {
    const mistakes = detail.map((each: { msg?: unknown }) => String(each.msg ?? ""));
    return mistakes.filter(Boolean).join("; ");
  }
  return undefined;
}

/** An address with its query; what is undefined or empty is left out. */
export function address(
  base: string,
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") {
      params.set(name, String(value));
    }
  }
  const text = params.toString();
  return text === "" ? `${base}${path}` : `${base}${path}?${text}`;
}
