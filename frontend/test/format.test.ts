import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, count, duration, NOTHING, percent, rate, span } from "../src/model/format.ts";

test("durations carry the unit in which they are short", () => {
  assert.equal(duration(0), "0 ms");
  assert.equal(duration(0.0000527), "52.7 µs");
  assert.equal(duration(0.0404), "40.4 ms");
  assert.equal(duration(3.166), "3.17 s");
  assert.equal(duration(150), "2 min 30 s");
});

test("ratios are percent, and a little is not nothing", () => {
  assert.equal(percent(0), "0 %");
  assert.equal(percent(0.00001), "< 0.01 %");
  assert.equal(percent(0.6053), "60.5 %");
  assert.equal(percent(1), "100 %");
});

test("what is seldom is counted by the hour", () => {
  assert.equal(rate(0), "0/s");
  assert.equal(rate(0.001), "3.6/h");
  assert.equal(rate(30.3), "30.3/s");
});

test("what is not known is a dash and never zero", () => {
  for (const format of [bytes, count, duration, percent, rate]) {
    assert.equal(format(null), NOTHING);
    assert.equal(format(undefined), NOTHING);
    assert.equal(format(Number.NaN), NOTHING);
  }
});

test("counts are exact until they are long", () => {
  assert.equal(count(9_876), "9,876");
  assert.equal(count(28_733), "28.7K");
});

test("sizes are bytes", () => {
  assert.equal(bytes(87_285_760), "87.3 MB");
  assert.equal(bytes(12), "12 B");
});

test("a length of time has no more than two units", () => {
  assert.equal(span(0), "0 s");
  assert.equal(span(601), "10 min 1 s");
  assert.equal(span(3600), "1 h");
  assert.equal(span(90_061), "1 d 1 h");
});
