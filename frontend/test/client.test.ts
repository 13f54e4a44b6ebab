import assert from "node:assert/strict";
import { test } from "node:test";
import { address, Client, Problem } from "../src/runtime/client.ts";

interface Asked {
  url: string;
  headers: Record<string, string>;
  init: RequestInit;
}

function serving(...answers: (() => Response)[]) {
  const asked: Asked[] = [];
  const client = new Client("token", async (url, init = {}) => {
    asked.push({ url: String(url), headers: init.headers as Record<string, string>, init });
    const answer = answers.shift();
    if (answer === undefined) {
      throw new TypeError("Failed to fetch");
    }
    return answer();
  });
  return { asked, client };
}

const document = (etag: string, body: unknown) => () =>
  new Response(JSON.stringify(body), { headers: { ETag: etag } });
const unchanged = () => new Response(null, { status: 304 });

test("a document that has not changed is the same object, without being sent again", async () => {
  const { asked, client } = serving(document('W/"1"', { count: 1 }), unchanged);
  const first = await client.read("/api/");
  assert.equal(await client.read("/api/"), first);
  assert.equal(asked[1]?.headers["If-None-Match"], 'W/"1"');
});

test("each address has a tag of its own", async () => {
  const { asked, client } = serving(document('"1"', {}), document('"2"', {}));
  await client.read("/one/");
  await client.read("/two/");
  assert.equal(asked[1]?.headers["If-None-Match"], undefined);
});

test("the words of the API say what is wrong", async () => {
  const refuse = (body: unknown) => () => new Response(JSON.stringify(body), { status: 422 });
  const { client } = serving(
    refuse({ detail: "No." }),
    refuse({ detail: [{ msg: "ends_at is over" }, { msg: "comment: too short" }] }),
  );
  await assert.rejects(client.read("/"), (error: Problem) => error.message === "No.");
  await assert.rejects(
    client.read("/"),
    (error: Problem) => error.message === "ends_at is over; comment: too short",
  );
});

test("no answer, a page instead of a document, and a server in trouble may all pass", async () => {
  const page = () => new Response("<html>", { status: 200 });
  const trouble = () => new Response("<html>", { status: 502 });
  const { client } = serving(page, trouble);
  for (let asked = 0; asked < 3; asked += 1) {
    await assert.rejects(client.read("/"), (error: Problem) => error.isPassing);
  }
});

test("what changes something carries the CSRF token", async () => {
  const { asked, client } = serving(document('"1"', { id: 1 }));
  await client.send("POST", "/silences/", { comment: "deploy" });
  assert.equal(asked[0]?.headers["X-CSRFToken"], "token");
  assert.equal(asked[0]?.init.body, '{"comment":"deploy"}');
});

test("what is not known is left out of an address, and what is there is escaped", () => {
  assert.equal(address("/api/", "x/", { endpoint: undefined, hours: 1 }), "/api/x/?hours=1");
  assert.equal(address("/api/", "x/", { endpoint: "/a?b=<c>" }), "/api/x/?endpoint=%2Fa%3Fb%3D%3Cc%3E");
});
