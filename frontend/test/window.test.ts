import assert from "node:assert/strict";
import { test } from "node:test";
import { firstKnown } from "../src/screens/sparklines.ts";
import { parseState } from "../src/model/state.ts";
import { askedFor, rangeOf } from "../src/runtime/window.ts";

const window = (covered: number) => ({
  start: "2026-03-01T11:00:00Z",
  end: "2026-03-01T12:00:00Z",
  seconds: 3600,
  covered_seconds: covered,
});
const END = Date.parse("2026-03-01T12:00:00Z") / 1000;

test("charts begin where measuring began, and show five minutes at least", () => {
  assert.deepEqual(rangeOf(null, window(3600)), { from: END - 3600, until: END });
  assert.deepEqual(rangeOf(null, window(1200)), { from: END - 1200, until: END });
  assert.deepEqual(rangeOf(null, window(2)), { from: END - 300, until: END });
});

test("a zoom is what was zoomed to", () => {
  assert.deepEqual(rangeOf({ from: 1, until: 2 }, window(3600)), { from: 1, until: 2 });
});

test("longer windows are asked for more seldom", () => {
  const every = (text: string) => askedFor(parseState(`?window=${text}`), END).every;
  assert.deepEqual(["15m", "1h", "24h", "7d"].map(every), [5, 10, 30, 60]);
});

test("sparklines begin where the first of them does", () => {
  assert.equal(firstKnown([[null, null, 1], [null, 2, 3]]), 1);
  assert.equal(firstKnown([[null], [null]]), -1);
  assert.equal(firstKnown([]), -1);
});
