/** Ten thousand nodes, as a dashboard asks for them. */
import { expect, test } from "vitest";
import type { Change } from "../../../server-stub/store/records.ts";
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
    const batch = Array.from({ length: 1_000 }, (_, at) => node(from + at));
    expect(await house.store.apply(batch)).toMatchObject({ ok: true });
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

const node = (at: number): Change => ({
  kind: "node",
  expected: 0,
  value: {
    id: `n-${String(at).padStart(12, "0")}`,
    name: `node-${at}`,
    group: `group-${at % GROUPS}`,
    voter: true,
    labels: { rack: `r${at % 40}`, zone: `z${at % 3}` },
    membership: "approved",
    credentialHash: `${at}`,
    createdAt: 0,
    known: {
      platform: "linux-x64",
      build: { version: `1.${at % 7}.0`, buildHash: String(at % 7).repeat(64) },
      canHandOver: false,
      reportsRole: false,
      holdings: { backup: null, hold: false, quarantine: [] },
    },
    placed: null,
    presence: "offline",
    address: null,
  },
});
