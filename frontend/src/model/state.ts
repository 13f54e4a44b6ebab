/** The state of the page, all of it in its address: a colleague opens the same picture. */

export const WINDOWS = {
  "15m": 0.25,
  "1h": 1,
  "3h": 3,
  "6h": 6,
  "24h": 24,
  "2d": 48,
  "7d": 168,
} as const;

export type WindowName = keyof typeof WINDOWS;

export const SCREENS = [
  "overview",
  "endpoints",
  "endpoint",
  "queries",
  "query",
  "tenants",
  "hosts",
  "alerts",
  "alert",
] as const;

export type Screen = (typeof SCREENS)[number];

/** A stretch of time in seconds since 1970. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
}

export interface State {
  readonly screen: Screen;
  readonly window: WindowName;
  readonly zoom: Stretch | null;
  /** What else a screen keeps: what it is about, its order, its filter. */
  readonly details: Readonly<Record<string, string>>;
}

const DEFAULT_WINDOW: WindowName = "1h";
const OWN = new Set(["screen", "window", "from", "until"]);

export function parseState(search: string): State {
  const params = new URLSearchParams(search);
  const details: Record<string, string> = {};
  for (const [name, value] of params) {
    if (!OWN.has(name)) {
      details[name] = value;
    }
  }
  return {
    screen: oneOf(SCREENS, params.get("screen")) ?? "overview",
    window: oneOf(Object.keys(WINDOWS) as WindowName[], params.get("window")) ?? DEFAULT_WINDOW,
    zoom: parseZoom(params.get("from"), params.get("until")),
    details,
  };
}

export function writeState(state: State): string {
  const params = new URLSearchParams();
  if (state.screen !== "overview") {
    params.set("screen", state.screen);
  }
  for (const [name, value] of Object.entries(state.details)) {
    if (value !== "") {
      params.set(name, value);
    }
  }
  if (state.window !== DEFAULT_WINDOW) {
    params.set("window", state.window);
  }
  if (state.zoom !== null) {
    params.set("from", isoOf(state.zoom.from));
    params.set("until", isoOf(state.zoom.until));
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

/** The hours to ask for: the shortest window that reaches back to the beginning of a zoom. */
export function hoursOf(state: State, now: number): number {
  if (state.zoom === null) {
    return WINDOWS[state.window];
  }
  const needed = (now - state.zoom.from) / 3600;
  const enough = Object.values(WINDOWS).filter((hours) => hours >= needed);
  return Math.min(...enough, WINDOWS["7d"]);
}

function parseZoom(from: string | null, until: string | null): Stretch | null {
  const parsed = { from: secondsOf(from), until: secondsOf(until) };
  return parsed.until > parsed.from ? parsed : null;
}

function secondsOf(text: string | null): number {
  return text === null ? Number.NaN : Date.parse(text) / 1000;
}

function isoOf(seconds: number): string {
  return new Date(Math.round(seconds) * 1000).toISOString().replace(".000Z", "Z");
}

function oneOf<T extends string>(choices: readonly T[], text: string | null): T | undefined {
  return choices.find((each) => each === text);
}
