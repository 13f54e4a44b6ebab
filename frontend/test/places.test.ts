import assert from "node:assert/strict";
import { test } from "node:test";
import { placesOf } from "../src/model/places.ts";

const ROOM = { places: 4, inSight: 2 };
const alert = (id: string, name = id) => ({ id, name });
const [a, b, c] = [alert("a"), alert("b"), alert("c")];

const ids = (places: readonly ({ id: string } | null)[]) =>
  places.map((each) => each?.id ?? null);

test("alerts that are open come first, then those that are over", () => {
  assert.deepEqual(ids(placesOf([], { open: [b], over: [a, c] }, ROOM)), ["b", "a", "c"]);
  assert.deepEqual(placesOf([], { open: [], over: [] }, ROOM), []);
});

test("an alert keeps its place when others come, go or are over", () => {
  const before = placesOf([], { open: [a, b], over: [] }, ROOM);
  assert.deepEqual(ids(placesOf(before, { open: [b], over: [a] }, ROOM)), ["a", "b"]);
  assert.deepEqual(ids(placesOf(before, { open: [b], over: [] }, ROOM)), [null, "b"]);
  assert.deepEqual(ids(placesOf(before, { open: [c, b, a], over: [] }, ROOM)), ["a", "b", "c"]);
});

test("a new alert takes the place of its rule, an empty one in sight, or one that is over", () => {
  const again = alert("a2", "a");
  assert.deepEqual(ids(placesOf([b, a], { open: [again], over: [b, a] }, ROOM)), ["b", "a2", "a"]);
  assert.deepEqual(ids(placesOf([a], { open: [c], over: [a] }, ROOM)), ["a", "c"]);
  const narrow = { places: 2, inSight: 1 };
  assert.deepEqual(ids(placesOf([a], { open: [c], over: [a] }, narrow)), ["c", "a"]);
});

test("what is over gives way where there is no other place, and what is open never does", () => {
  const small = { places: 2, inSight: 2 };
  assert.deepEqual(ids(placesOf([a, b], { open: [b, c], over: [a] }, small)), ["c", "b"]);
  assert.deepEqual(ids(placesOf([a, b], { open: [c, b, a], over: [] }, small)), ["a", "b"]);
});
