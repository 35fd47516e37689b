/** Ten thousand nodes, as a dashboard asks for them. */
import { expect, test } from "vitest";
import { nodesAway } from "../../harness/many-nodes.ts";
import { ADMIN, House, must } from "./house.ts";

const MANY = 10_000;
const GROUPS = 20;

test("a page of the nodes is put together alone: 10,000 of them are listed in ten pages in under 2 s of a processor", async () => {
  await using house = await House.build();
  const first = must(await house.baton.groups.create(ADMIN, { name: "group-0" }));
  for (let at = 1; at < GROUPS; at += 1)
    must(await house.baton.groups.create(ADMIN, { name: `group-${at}` }));
  expect(first.nodes).toBe(0);
  for (let from = 0; from < MANY; from += 1_000) {
    expect(await house.store.apply(nodesAway(from, 1_000, GROUPS))).toMatchObject({ ok: true });
  }
  const before = process.threadCpuUsage();
  const names: string[] = [];
  let cursor: string | null = null;
  let pages = 0;
  do {
    const page: { items: readonly { name: string }[]; next: string | null } = must(
      await house.baton.nodes.page({}, { limit: 1_000, ...(cursor === null ? {} : { cursor }) }),
    );
    names.push(...page.items.map(({ name }) => name));
    cursor = page.next;
    pages += 1;
  } while (cursor !== null);
  const { user, system } = process.threadCpuUsage(before);
  expect(pages).toBe(10);
  expect(new Set(names).size).toBe(MANY);
  expect(names).toEqual([...names].sort());
  expect((user + system) / 1_000).toBeLessThan(2_000);
}, 30_000);
