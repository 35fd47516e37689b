/** The audit log by the API: found by who, what, on what and when, page by page, and exported whole. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { auditLines } from "../../../server-stub/api/routes/audit.ts";
import { Door } from "../harness/door.ts";
import { ADMIN, House, must } from "../service/house.ts";

type Entry = { id: number; at: number; actor: string; action: string; subject: string };

let door: Door;
let start: number;
beforeAll(async () => {
  door = await Door.open();
  start = door.clock.now();
  for (let index = 0; index < 6; index += 1) {
    const group = await door.group();
    door.clock.pass(1_000);
    await door.must("PATCH", `/v1/groups/${group}`, { body: { spare: index } });
  }
  await door.join();
});
afterAll(() => door[Symbol.asyncDispose]());

const list = async (query: string): Promise<Entry[]> => {
  const { entries } = (await door.must("GET", `/v1/audit?limit=1000&${query}`)) as { entries: Entry[] };
  return entries;
};

test("is found by actor, the beginning of an action, subject and time", async () => {
  expect((await list("action=group.edited")).length).toBe(6);
  expect((await list("action=group.")).every(({ action }) => action.startsWith("group."))).toBe(true);
  expect((await list("actor=operator%20admin&subject=group-2")).map(({ action }) => action)).toEqual([
    "group.edited",
    "group.created",
  ]);
  const [joined] = await list("action=node.joined");
  expect(joined?.actor).toMatch(/^node n-/);
  const between = await list(`action=group.edited&since=${start + 3_000}&until=${start + 5_000}`);
  expect(between.map(({ at }) => at - start)).toEqual([4_000, 3_000]);
  expect(await list("actor=nobody")).toEqual([]);
});

test.each(["action=%25", "action=Group", "since=yesterday", "colour=red"])(
  "%s is malformed",
  async (query) => {
    const answer = await door.call("GET", `/v1/audit?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { code: "malformed" } });
  },
);

test("comes in pages that join without a gap, filtered as well", async () => {
  const all = await list("action=group.");
  const pages: Entry[] = [];
  let cursor = "";
  do {
    const page = await door.must("GET", `/v1/audit?action=group.&limit=4${cursor}`);
    const { entries, next } = page as { entries: Entry[]; next: string | null };
    pages.push(...entries);
    cursor = next === null ? "" : `&cursor=${next}`;
  } while (cursor !== "");
  expect(pages).toEqual(all);
});

test("is exported as JSON lines, oldest first, with the same filters", async () => {
  const answer = await door.call("GET", "/v1/audit/export");
  expect(answer.headers["content-type"]).toBe("application/x-ndjson");
  const lines = answer.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Entry);
  expect(lines).toEqual((await list("")).reverse());
  const some = await door.call("GET", "/v1/audit/export?action=group.created");
  expect(some.text.split("\n").filter(Boolean)).toHaveLength(7);
  const none = await door.call("GET", "/v1/audit/export?actor=nobody");
  expect(none).toMatchObject({ status: 200, text: "" });
});

test("is exported whole where it is longer than what is read at once", async () => {
  await using house = await House.build();
  for (const name of ["a", "b", "c", "d", "e"]) must(await house.baton.groups.create(ADMIN, { name }));
  const subjects = async (page: number) => {
    let text = "";
    for await (const part of auditLines(house.baton.audit, {}, page)) text += part;
    return text
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as Entry).subject);
  };
  for (const page of [1, 2, 5, 6]) expect(await subjects(page)).toEqual(["a", "b", "c", "d", "e"]);
});
