/** Times in the reader's zone; UTC beside them, for logs and colleagues elsewhere. */

const CLOCK = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const SHORT_CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short" });

export function secondsOf(text: string): number {
  return Date.parse(text) / 1000;
}

/** The time of day, with the day where it is another one. */
export function shown(seconds: number, now: number): string {
  const [moment, today] = [new Date(seconds * 1000), new Date(now * 1000)];
  const time = CLOCK.format(moment);
  return moment.toDateString() === today.toDateString() ? time : `${DAY.format(moment)} ${time}`;
}

export function utc(seconds: number): string {
  const text = new Date(seconds * 1000).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
}

/** What stands at a tick of a time axis whose ticks are `step` seconds apart. */
export function tick(seconds: number, step: number): string {
  const moment = new Date(seconds * 1000);
  if (step >= 86_400 || (moment.getHours() === 0 && moment.getMinutes() === 0)) {
    return DAY.format(moment);
  }
  return step < 60 ? CLOCK.format(moment) : SHORT_CLOCK.format(moment);
}
