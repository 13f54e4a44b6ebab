import assert from "node:assert/strict";
import { test } from "node:test";
import { hoursOf, parseState, writeState } from "../src/model/state.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z") / 1000;

test("an address without a query is the overview of the last hour", () => {
  assert.deepEqual(parseState(""), {
    screen: "overview",
    window: "1h",
    zoom: null,
    details: {},
  });
  assert.equal(writeState(parseState("")), "");
});

test("an address says all that a colleague needs to see the same", () => {
  const address =
    "?screen=endpoint&endpoint=%2Fdeals%2F%3Cint%3Apk%3E%2F&method=GET&window=6h" +
    "&from=2026-03-01T10%3A00%3A00Z&until=2026-03-01T10%3A05%3A00Z";
  const state = parseState(address);
  assert.equal(state.details["endpoint"], "/deals/<int:pk>/");
  assert.equal((state.zoom?.until ?? 0) - (state.zoom?.from ?? 0), 300);
  assert.equal(writeState(state), address);
});

test("what nobody knows in an address is the default", () => {
  const state = parseState("?screen=%3Cscript%3E&window=9y&from=never&until=2026-03-01");
  assert.equal(state.screen, "overview");
  assert.equal(state.window, "1h");
  assert.equal(state.zoom, null);
});

test("a zoom asks for the shortest window that reaches back to it", () => {
  const zoomed = (ago: number) => ({
    ...parseState("?window=7d"),
    zoom: { from: NOW - ago, until: NOW - ago + 60 },
  });
  assert.equal(hoursOf(zoomed(600), NOW), 0.25);
  assert.equal(hoursOf(zoomed(7000), NOW), 3);
  assert.equal(hoursOf(zoomed(86_400 * 30), NOW), 168);
});
