import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ApiClient, createClient } from "../../../cli/api/client.ts";
import { exitOf } from "../../../cli/failure.ts";
import { Type } from "../../../protocol/schema.ts";

const Answer = Type.Object({ ok: Type.Boolean() });
type Handle = (request: IncomingMessage, response: ServerResponse) => void;

let url = "";
let close = async (): Promise<void> => undefined;
const handles: Handle[] = [];
const asked: { method: string; key: string | undefined; match: string | undefined }[] = [];
let client: ApiClient;

beforeEach(async () => {
  handles.length = 0;
  asked.length = 0;
  const server = createServer((request, response) => {
    const { "idempotency-key": key, "if-match": match } = request.headers;
    asked.push({ method: request.method ?? "", key: key as string | undefined, match });
    handles.shift()?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = createClient({ url: `${url}/`, token: "t", fetch, timeoutMs: 5_000 });
  close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
});
afterEach(() => close());

const breaks: Handle = (request) => request.socket.destroy();
const answers: Handle = (_, response) =>
  response.writeHead(200, { etag: '"7"' }).end(JSON.stringify({ ok: true, newer: "unknown" }));

test("a POST whose answer was lost is sent once more, under the same key; another one has another key", async () => {
  handles.push(breaks, answers, answers);
  const request = { method: "POST", path: "/x", answer: Answer } as const;
  expect(await client.call(request)).toEqual({ ok: true, value: { ok: true } });
  expect(await client.call(request)).toMatchObject({ ok: true });
  const [first, again, other] = asked.map(({ key }) => key);
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
});

test("only once, and not what may not be repeated", async () => {
  handles.push(breaks, breaks);
  expect(await client.call({ path: "/x", answer: Answer })).toMatchObject({
    ok: false,
    error: { code: "unreachable", message: expect.stringContaining("cannot be reached") },
  });
  expect(asked).toHaveLength(2);
  handles.push(breaks, answers);
  for (const method of ["PATCH", "DELETE", "PUT"] as const) {
    handles.splice(0, handles.length, breaks, answers);
    expect(await client.call({ method, path: "/x", answer: Answer })).toMatchObject({ ok: false });
  }
  expect(asked.filter(({ key }) => key !== undefined)).toEqual([]);
});

test("what was read can be changed only as it was read", async () => {
  handles.push(answers, answers);
  const read = await client.tagged({ path: "/x", answer: Answer });
  expect(read).toEqual({ ok: true, value: { value: { ok: true }, etag: '"7"' } });
  await client.call({ method: "PATCH", path: "/x", body: {}, ifMatch: '"7"', answer: Answer });
  expect(asked.at(-1)?.match).toBe('"7"');
});

test("an empty answer is null; a code that is not known here tells by its status", async () => {
  handles.push((_, response) => response.writeHead(204).end());
  expect(await client.call({ method: "DELETE", path: "/x", answer: Type.Null() })).toEqual({
    ok: true,
    value: null,
  });
  const problem = { type: "urn:x", title: "X", detail: "It is new.", code: "brand-new", status: 412 };
  handles.push((_, response) => response.writeHead(412).end(JSON.stringify(problem)));
  const refused = await client.call({ path: "/x", answer: Answer });
  expect(refused.ok ? 0 : exitOf(refused.error)).toBe(5);
});

test("who is no coordinator, and who takes too long, is told", async () => {
  handles.push((_, response) => response.writeHead(200).end("<html>"));
  expect(await client.call({ path: "/x", answer: Answer })).toMatchObject({
    error: { code: "unexpected-answer" },
  });
  const hasty = createClient({ url, token: null, fetch, timeoutMs: 50 });
  handles.push(() => undefined);
  expect(await hasty.call({ path: "/x", answer: Answer })).toMatchObject({ error: { code: "timed-out" } });
});

test("a stream is read as it comes, or refused like anything else", async () => {
  handles.push((_, response) => {
    response.writeHead(200);
    response.write("one ");
    response.end("two");
  });
  const stream = await client.stream("/x", { accept: "text/plain" });
  let text = "";
  if (stream.ok) for await (const chunk of stream.value) text += chunk;
  expect(text).toBe("one two");
  const problem = { type: "urn:x", title: "X", detail: "No.", code: "forbidden", status: 403 };
  handles.push((_, response) => response.writeHead(403).end(JSON.stringify(problem)));
  expect(await client.stream("/x", {})).toMatchObject({ error: { code: "forbidden", message: "No." } });
});
