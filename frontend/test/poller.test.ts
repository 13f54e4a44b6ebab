import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "../src/runtime/client.ts";
import { backoff, Poller, type Surroundings, type Update } from "../src/runtime/poller.ts";

class World implements Surroundings {
  time = 1000;
  hidden = false;
  waiting: { at: number; run: () => void }[] = [];
  look: () => void = () => undefined;

  now(): number {
    return this.time;
  }
  later(seconds: number, run: () => void): () => void {
    const timer = { at: this.time + seconds, run };
    this.waiting.push(timer);
    return () => {
      this.waiting = this.waiting.filter((each) => each !== timer);
    };
  }
  isHidden(): boolean {
    return this.hidden;
  }
  onVisible(run: () => void): () => void {
    this.look = run;
    return () => {
      this.look = () => undefined;
    };
  }
  random(): number {
    return 0.5;
  }
  async pass(seconds: number): Promise<void> {
    this.time += seconds;
    const due = this.waiting.filter((each) => each.at <= this.time);
    this.waiting = this.waiting.filter((each) => each.at > this.time);
    due.forEach((each) => each.run());
    await settled();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function polling(answer: () => Promise<string>) {
  const world = new World();
  const updates: Update<string>[] = [];
  let asked = 0;
  const load = (): Promise<string> => {
    asked += 1;
    return answer();
  };
  const poller = new Poller(load, 5, (update) => updates.push(update), world);
  poller.start();
  await settled();
  return { world, updates, poller, count: () => asked };
}

test("it asks at once and then every few seconds", async () => {
  const { world, count } = await polling(async () => "document");
  assert.equal(count(), 1);
  await world.pass(5);
  await world.pass(5);
  assert.equal(count(), 3);
});

test("a hidden page asks nothing and is current as soon as somebody looks", async () => {
  const { world, count } = await polling(async () => "document");
  world.hidden = true;
  await world.pass(5);
  await world.pass(600);
  assert.equal(count(), 1);
  world.hidden = false;
  world.look();
  await settled();
  assert.equal(count(), 2);
});

test("failures are told, and each makes it wait twice as long", async () => {
  const { world, updates, count } = await polling(async () => {
    throw new Problem(503, "The store cannot be read.");
  });
  assert.equal(updates[0]?.problem?.message, "The store cannot be read.");
  assert.equal(updates[0]?.retryAt, 1010);
  await world.pass(9);
  assert.equal(count(), 1);
  await world.pass(1);
  assert.equal(updates[1]?.retryAt, 1030);
});

test("after a success it is as quick as before", async () => {
  let isBroken = true;
  const { world, updates } = await polling(async () => {
    if (isBroken) {
      throw new Problem(0, "gone");
    }
    return "document";
  });
  isBroken = false;
  await world.pass(10);
  assert.deepEqual(updates.at(-1), { document: "document", failures: 0, retryAt: null });
  assert.equal(world.waiting[0]?.at, world.time + 5);
});

test("what is refused is not asked for every few seconds", async () => {
  const { updates } = await polling(async () => {
    throw new Problem(403, "This is for staff only.");
  });
  assert.equal(updates[0]?.retryAt, 1120);
});

test("nothing is told once it has been stopped", async () => {
  let answer: (text: string) => void = () => undefined;
  const { updates, poller } = await polling(
    () => new Promise<string>((resolve) => (answer = resolve)),
  );
  poller.stop();
  answer("late");
  await settled();
  assert.deepEqual(updates, []);
});

test("waiting ends at two minutes, and no two pages come back together", () => {
  assert.equal(backoff(5, 0, 0.5), 5);
  assert.equal(backoff(5, 50, 0.5), 120);
  assert.notEqual(backoff(5, 3, 0), backoff(5, 3, 1));
});
