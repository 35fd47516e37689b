/** What is kept in memory of a store, where somebody else writes after all, and where nobody knows what was written. */
import { expect, test } from "vitest";
import { openMemoryStore } from "../../../server-stub/store/memory/store.ts";
import { rememberedStore } from "../../../server-stub/store/remembered/store.ts";
import { StoreAway } from "../../../server-stub/store/sql/transact.ts";
import type { Store } from "../../../server-stub/store/store.ts";
import { GROUP, JOB, LEASE, NODE } from "./records.ts";

const group = { kind: "group", value: GROUP, expected: 0 } as const;
const node = { kind: "node", value: NODE, expected: 0 } as const;
const free = { lastToken: 9, holders: [], broken: [] };

async function both(): Promise<{ store: Store; own: Store }> {
  const store = openMemoryStore();
  const own = rememberedStore(store);
  await own.apply([group, node]);
  await own.lease(GROUP.name);
  return { store, own };
}

test("what another one wrote makes a write conflict once, and is known from then on", async () => {
  const { store, own } = await both();
  await store.apply([
    { kind: "lease", group: GROUP.name, value: LEASE, expected: 1 },
    { kind: "group", value: { ...GROUP, spare: 3 }, expected: 1 },
    { kind: "node", value: { ...NODE, voter: !NODE.voter }, expected: 1 },
    { kind: "job", value: JOB, expected: 0 },
    { kind: "policy", value: { windows: [], freeze: null, rollout: { concurrency: 7 } }, expected: 1 },
  ]);
  expect((await own.lease(GROUP.name))?.revision).toBe(1);
  const late = await own.apply([
    { kind: "same-policy", expected: 1 },
    { kind: "same-group", name: GROUP.name, expected: 1 },
    { kind: "lease", group: GROUP.name, value: free, expected: 1 },
    { kind: "node", value: NODE, expected: 1 },
    { kind: "job", value: { ...JOB, id: "j-other" }, expected: 0 },
  ]);
  expect(late.ok).toBe(false);
  for (const read of [
    (from: Store) => from.lease(GROUP.name),
    (from: Store) => from.group(GROUP.name),
    (from: Store) => from.node(NODE.id),
    (from: Store) => from.activeJob(JOB.nodeId),
    (from: Store) => from.activeJobsOf(JOB.group),
    (from: Store) => from.policy(),
    (from: Store) => from.nodes(),
    (from: Store) => from.nodeByCredential(NODE.credentialHash),
  ])
    expect(await read(own)).toEqual(await read(store));
});

test("after a write of which nobody knows what became, all is read anew", async () => {
  const store = openMemoryStore();
  let isLost = false;
  const losing: Store = {
    ...store,
    apply: async (changes) => {
      const applied = await store.apply(changes);
      if (isLost) throw new StoreAway("unknown", new Error("the reply was lost"));
      return applied;
    },
  };
  const own = rememberedStore(losing);
  await own.apply([group, node]);
  isLost = true;
  const lost = own.apply([{ kind: "lease", group: GROUP.name, value: LEASE, expected: 1 }]);
  await expect(lost).rejects.toThrow(StoreAway);
  expect(await own.lease(GROUP.name)).toEqual({ value: LEASE, revision: 2 });
  expect(await own.busyLeases()).toEqual([{ group: GROUP.name, value: LEASE, revision: 2 }]);
});

test("what is written while everything is being read is not forgotten over what was read", async () => {
  const store = openMemoryStore();
  await store.apply([group, node]);
  const held = Promise.withResolvers<void>();
  const slow: Store = {
    ...store,
    nodes: async () => {
      const nodes = await store.nodes();
      await held.promise;
      return nodes;
    },
  };
  const own = rememberedStore(slow);
  const reading = own.node(NODE.id);
  await own.apply([{ kind: "node", value: { ...NODE, placed: null, presence: "online" }, expected: 1 }]);
  held.resolve();
  expect(await reading).toEqual(await store.node(NODE.id));
  await own.apply([{ kind: "remove-node", id: NODE.id, expected: 2 }]);
  expect(await own.nodes()).toEqual([]);
  expect(await own.nodes(GROUP.name)).toEqual([]);
  expect(await own.nodeByCredential(NODE.credentialHash)).toBeNull();
});

test("a lease is read when it is asked for, and a group that went has none", async () => {
  const { own } = await both();
  await own.apply([{ kind: "remove-node", id: NODE.id, expected: 1 }]);
  await own.apply([{ kind: "remove-group", name: GROUP.name, expected: 1 }]);
  expect(await own.lease(GROUP.name)).toBeNull();
  expect(await own.groups()).toEqual([]);
  await own.apply([group]);
  expect((await own.lease(GROUP.name))?.revision).toBe(1);
});
