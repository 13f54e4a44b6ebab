import assert from "node:assert/strict";
import { test } from "node:test";
import { cellAt, cellsOf } from "../src/charts/heat.ts";
import { zoomed } from "../src/charts/keyboard.ts";
import { ceiling, highestWithin } from "../src/charts/scale.ts";
import type { Rule } from "../src/model/alerts.ts";
import type { Trends } from "../src/model/documents.ts";
import { bandsOf, rulesOn, thresholdsOf } from "../src/model/marks.ts";
import { filtered, ordered, toggled } from "../src/model/order.ts";
import { callSitesOf } from "../src/model/call-sites.ts";
import { condensed, lines } from "../src/model/sql.ts";
import { pathOf } from "../src/charts/sparkline.tsx";
import { columnsOf, hasAny, latest } from "../src/model/series.ts";
import { matchersOf, parseMatchers } from "../src/model/silences.ts";
import { shown, utc } from "../src/model/times.ts";
import { traceUrl } from "../src/model/traces.ts";
import { readPage } from "../src/page.ts";

const rule = (definition: Rule["definition"], name = "errors"): Rule => ({
  name,
  origin: "settings",
  text: null,
  definition,
  severities: [],
  health: "ok",
  last_error: "",
  updated_at: null,
  updated_by: null,
});

function trendOf(...covered: number[]): Trends {
  const points = covered.map((seconds) => ({
    time: "2026-03-01T12:00:00Z",
    covered_seconds: seconds,
    requests: { count: 20, error_rate: 0, slow_rate: 0, p50: null, p95: null, p99: null },
    queries: { count: null, slow_rate: null },
    cache: { hit_rate: null },
    system: {
      cpu_utilization: 0.5,
      memory_utilization: null,
      disk_utilization: null,
      database_connections: 3,
    },
  }));
  const window = { start: "", end: "", seconds: 900, covered_seconds: 4 };
  return { window, step: 10, is_covered: true, points, deploys: [] };
}

test("a rate is over the seconds that were measured, not those of the step", () => {
  const columns = columnsOf(trendOf(4));
  assert.deepEqual(columns.requestRate, [5]);
  assert.deepEqual(columns.cacheHitRate, [null]);
  assert.equal(hasAny(columns.memory), false);
  assert.equal(latest(columns.connections), 3);
});

test("a point that has hardly begun is left out until it means something", () => {
  assert.equal(columnsOf(trendOf(10, 10, 2)).times.length, 2);
  assert.equal(columnsOf(trendOf(10, 10, 6)).times.length, 3);
  assert.equal(columnsOf(trendOf()).times.length, 0);
});

test("a firing alert goes on until now, one of another rule is not marked", () => {
  const alert = {
    name: "errors",
    severity: "critical" as const,
    fired_at: "2026-03-01T12:00:00Z",
    resolved_at: null,
  };
  const bands = bandsOf([alert] as never, new Set(["errors"]), 2_000_000_000);
  assert.equal(bands[0]?.until, 2_000_000_000);
  assert.deepEqual(bandsOf([alert] as never, new Set(["other"]), 0), []);
});

test("a threshold is drawn where the rule watches the whole of the metric", () => {
  const ladder = rule({ metric: "m", threshold: { warning: 0.1, critical: 0.2 } });
  const narrow = rule({ metric: "m", threshold: 0.5, where: { "http.route": "/a/" } });
  assert.deepEqual(rulesOn([ladder, rule(null)], ["m"]), [ladder]);
  assert.deepEqual(
    thresholdsOf([ladder, narrow]).map((each) => [each.severity, each.value]),
    [
      ["warning", 0.1],
      ["critical", 0.2],
    ],
  );
});

test("what is not known comes last in either direction", () => {
  const rows = [{ v: 2 }, { v: null }, { v: 10 }];
  const values = (isDescending: boolean) =>
    ordered(rows, (row) => row.v, isDescending).map((row) => row.v);
  assert.deepEqual(values(false), [2, 10, null]);
  assert.deepEqual(values(true), [10, 2, null]);
});

test("figures begin with the highest, names with the first, a second click turns them", () => {
  assert.equal(toggled("", "count", true), "-count");
  assert.equal(toggled("-count", "count", true), "count");
  assert.equal(toggled("-count", "name", false), "name");
});

test("a filter finds rows that hold all its words", () => {
  const rows = ["GET /deals/", "POST /deals/", "GET /"];
  assert.deepEqual(filtered(rows, " deals get ", (row) => row), ["GET /deals/"]);
  assert.equal(filtered(rows, "", (row) => row), rows);
});

test("an axis ends a little above what it shows", () => {
  assert.equal(ceiling(0, 0.01), 0.01);
  assert.equal(ceiling(0.98, 0.01), 1.5);
  assert.equal(ceiling(37, 1), 40);
  assert.equal(highestWithin([1, 2, 3], [[9, null, 4]], 2, 3), 4);
});

test("keys zoom towards the end, move by a quarter, and give the whole back", () => {
  const range = { from: 0, until: 400 };
  assert.deepEqual(zoomed("+", range), { from: 200, until: 400 });
  assert.deepEqual(zoomed("ArrowLeft", range), { from: -100, until: 300 });
  assert.equal(zoomed("Escape", range), null);
  assert.equal(zoomed("a", range), undefined);
});

test("a silence means the rule and the labels of the alert", () => {
  assert.deepEqual(matchersOf({ name: "errors", labels: { "host.name": "vm" } }), [
    { name: "alertname", operator: "=", value: "errors" },
    { name: "host.name", operator: "=", value: "vm" },
  ]);
});

test("a trace is a link to a web page or none", () => {
  assert.equal(traceUrl("https://t/{trace_id}?a", "ab"), "https://t/ab?a");
  assert.equal(traceUrl("javascript:alert('{trace_id}')", "ab"), null);
  assert.equal(traceUrl("", "ab"), null);
});

test("times are the reader's, with UTC beside them", () => {
  const noon = Date.parse("2026-01-15T12:00:00Z") / 1000;
  assert.equal(shown(noon, noon + 60), "13:00:00");
  assert.match(shown(noon, noon + 86_400), /15 Jan.* 13:00:00/);
  assert.equal(utc(noon), "2026-01-15 12:00:00 UTC");
});

test("who is not on the staff is given no alerting", () => {
  const data = { role: "organization", alertingUrl: "/api/alerting/", permissions: "" };
  assert.equal(readPage(data).alertingUrl, "");
  assert.equal(readPage({ ...data, role: "staff" }).alertingUrl, "/api/alerting/");
});

test("of one endpoint only the rules that watch it are drawn", () => {
  const whole = rule({ metric: "m", threshold: 0.5 }, "whole");
  const part = rule({ metric: "m", threshold: 0.1, where: { "http.route": "/a/" } }, "part");
  assert.deepEqual(rulesOn([whole, part], ["m"], "/a/"), [part]);
  assert.deepEqual(rulesOn([whole, part], ["m"]), [whole, part]);
  assert.deepEqual(
    thresholdsOf([whole, part], "/a/").map((each) => each.rule),
    ["part"],
  );
});

test("matchers are read as they are written, and what is wrong is named", () => {
  assert.deepEqual(parseMatchers('alertname="errors", host.name~"web-*"'), [
    { name: "alertname", operator: "=", value: "errors" },
    { name: "host.name", operator: "~", value: "web-*" },
  ]);
  assert.throws(() => parseMatchers("errors"), /instead of errors/);
  assert.throws(() => parseMatchers(" "), /at least one label/);
});

test("SQL is broken before its clauses, but never within quotes", () => {
  assert.equal(lines('SELECT "a FROM b" FROM t WHERE x = ? AND y = ?'), 'SELECT "a FROM b"\nFROM t\nWHERE x = ?\n  AND y = ?');
});

test("call sites are counted over samples and findings", () => {
  const code = { file: "views.py", line: 8, function: "deals" };
  const other = { file: "jobs.py", line: 1, function: "run" };
  const sites = callSitesOf([{ code }, { code: other }, { code: null }], [{ code, repeat_count: 30 }]);
  assert.deepEqual(
    sites.map((site) => [site.code.file, site.sampleCount, site.repeatCount]),
    [
      ["views.py", 1, 30],
      ["jobs.py", 1, 0],
    ],
  );
});

test("a sparkline has gaps where nothing is known", () => {
  assert.equal(pathOf([0, 2, null, 1], 30, 12), "M0.0 11.0h0L10.0 1.0M30.0 6.0h0");
});

test("a cell of a heat map is as warm as it is full, and says what is in it", () => {
  const map = { times: [0, 10], step: 10, bounds: [0.1, 0.2, 0.4], columns: [[4, 1], null] };
  assert.deepEqual(cellsOf(map), [
    { from: 0, band: 0, warmth: 1 },
    { from: 0, band: 1, warmth: 0.5 },
  ]);
  assert.deepEqual(cellAt(map, 5, 1.5), { from: 0.2, until: 0.4, count: 1 });
  assert.equal(cellAt(map, 15, 0.5), null);
  assert.equal(cellAt(map, 5, 9), null);
});

test("a statement in a line leaves out what it selects, and nothing that tells it apart", () => {
  const long = 'SELECT "deal"."id",\n "deal"."name" FROM "deal" WHERE "id" IN (SELECT x FROM y)';
  assert.equal(condensed(long), 'SELECT … FROM "deal" WHERE "id" IN (SELECT x FROM y)');
  const nested = "SELECT DISTINCT EXTRACT(YEAR FROM day), (SELECT x FROM y) FROM z";
  assert.equal(condensed(nested), "SELECT DISTINCT … FROM z");
  assert.equal(condensed("SELECT a FROM b"), "SELECT a FROM b");
  assert.equal(condensed(" UPDATE a  SET b = %s "), "UPDATE a SET b = %s");
});
