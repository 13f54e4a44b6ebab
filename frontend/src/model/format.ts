/** Figures as people read them: always with a unit, never with more digits than they mean. */

export const NOTHING = "–";

export type Format = (value: number | null | undefined) => string;

function known(write: (value: number) => string): Format {
  return (value) =>
    value === null || value === undefined || !Number.isFinite(value) ? NOTHING : write(value);
}

const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const PLAIN = new Intl.NumberFormat("en");

function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) {
    return value.toFixed(0);
  }
  return size >= 10 ? trimmed(value, 1) : trimmed(value, 2);
}

function trimmed(value: number, places: number): string {
  return value.toFixed(places).replace(/\.?0+$/, "");
}

/** Seconds. */
export const duration: Format = known((seconds) => {
  const size = Math.abs(seconds);
  if (size === 0) {
    return "0 ms";
  }
  if (size < 0.001) {
    return `${digits(seconds * 1e6)} µs`;
  }
  if (size < 1) {
    return `${digits(seconds * 1000)} ms`;
  }
  return size < 120 ? `${digits(seconds)} s` : span(seconds);
});

/** A length of time in the two largest units. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const units = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  if (first === -1) {
    return "0 s";
  }
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** A ratio 0..1. */
export const percent: Format = known((ratio) => {
  const value = ratio * 100;
  if (value === 0) {
    return "0 %";
  }
  return Math.abs(value) < 0.01 ? "< 0.01 %" : `${digits(value)} %`;
});

export const count: Format = known((value) =>
  Math.abs(value) < 10_000 ? PLAIN.format(value) : COMPACT.format(value),
);

/** Per second. */
export const rate: Format = known((value) => {
  const size = Math.abs(value);
  if (size > 0 && size < 0.01) {
    return `${digits(value * 3600)}/h`;
  }
  return size >= 10_000 ? `${COMPACT.format(value)}/s` : `${digits(value)}/s`;
});

export const number: Format = known((value) =>
  Math.abs(value) >= 10_000 ? COMPACT.format(value) : trimmed(value, Math.abs(value) < 1 ? 3 : 2),
);

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];

export const bytes: Format = known((value) => {
  let [rest, unit] = [value, 0];
  while (rest >= 1000 && unit < BYTE_UNITS.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${digits(rest)} ${BYTE_UNITS[unit] ?? ""}`;
});
