/**
 * The same store for who alone writes to it: what is asked again and again of nodes, groups, leases and jobs at work is
 * kept in memory, so that ten thousand heartbeats a second ask no database. A coordinator that decides is the only
 * writer of these records (docs/adr/0095-one-coordinator-decides.md).
 *
 * Invariants: what was read anew, or written, is never replaced by something older; a write that conflicts makes
 * that what it named is read anew before it is answered, so that whoever tries again does not try the same again; after
 * a write of which nobody knows what became, everything is read anew before anything is answered.
 */
import type { LeaseRecord } from "../../core/lease/record.ts";
import { hasGroup } from "../../core/rollout/places.ts";
import type { Applied, Change, Stored } from "../records.ts";
import { StoreAway } from "../sql/transact.ts";
import type { Store } from "../store.ts";
import { type IsOlder, mayBeBehind, readOne } from "./read-anew.ts";
import {
  isRemembered,
  type Key,
  keyOf,
  noRecords,
  putJob,
  putNode,
  putRollout,
  type Records,
  write,
} from "./records.ts";
import { allNodes, sorted } from "./sorted.ts";

export function rememberedStore(store: Store): Store {
  let records = noRecords();
  let loading: Promise<Records> | null = null;
  /** Of each read under way the records that were written meanwhile: it knows nothing of those. */
  const underWay = new Set<Set<Key>>();

  /** Answers what was read, and takes over by `put` what nobody has written meanwhile. */
  async function take<T>(read: () => Promise<T>, put: (found: T, isOlder: IsOlder) => void): Promise<void> {
    const written = new Set<Key>();
    underWay.add(written);
    try {
      put(await read(), (key) => written.has(key));
    } finally {
      underWay.delete(written);
    }
  }

  async function load(): Promise<Records> {
    const fresh = noRecords();
    records = fresh;
    await take(
      () =>
        Promise.all([
          store.nodes(),
          store.groups(),
          store.activeJobs(),
          store.activeDiagnoses(),
          store.busyLeases(),
          store.unfinishedRollouts(),
          store.policy(),
        ]),
      ([nodes, groups, jobs, diagnoses, leases, rollouts, policy], isOlder) => {
        for (const node of nodes) if (!isOlder(`node ${node.value.id}`)) putNode(fresh, node.value.id, node);
        for (const group of groups)
          if (!isOlder(`group ${group.value.name}`)) fresh.groups.set(group.value.name, group);
        for (const job of [...jobs, ...diagnoses]) if (!isOlder(`job ${job.value.id}`)) putJob(fresh, job);
        for (const { group, value, revision } of leases)
          if (!isOlder(`lease ${group}`)) fresh.leases.set(group, { value, revision });
        for (const rollout of rollouts)
          if (!isOlder(`rollout ${rollout.value.id}`)) putRollout(fresh, rollout);
        if (!isOlder("policy")) fresh.policy = policy;
      },
    );
    return fresh;
  }

  /** What is remembered, once it has been read. */
  const known = (): Promise<Records> => {
    loading ??= load().catch((error: unknown) => {
      loading = null;
      throw error;
    });
    return loading;
  };

  async function leaseOf(group: string): Promise<Stored<LeaseRecord> | null> {
    const { leases, groups } = await known();
    const before = leases.get(group);
    if (before !== undefined) return before;
    if (!groups.has(group)) return null;
    await take(
      () => store.lease(group),
      (found, isOlder) => {
        if (found !== null && !isOlder(`lease ${group}`) && !isOlder(`group ${group}`))
          leases.set(group, found);
      },
    );
    return leases.get(group) ?? null;
  }

  /** Reads anew what a batch named that did not hold. What is known to be newer than the batch needs no look. */
  async function readAnew(changes: readonly Change[]): Promise<void> {
    const now = await known();
    for (const change of changes) {
      if (!isRemembered(change) || !mayBeBehind(now, change)) continue;
      await take(readOne(store, change), (put, isOlder) => put(now, isOlder));
    }
  }

  const note = (changes: readonly Change[]): void => {
    for (const change of changes) {
      // What only had to be the same was not written.
      if (!isRemembered(change) || change.kind.startsWith("same-")) continue;
      for (const written of underWay) written.add(keyOf(change));
      write(records, change);
    }
  };

  return {
    ...store,
    async apply(changes): Promise<Applied> {
      let applied: Applied;
      try {
        applied = await store.apply(changes);
      } catch (error) {
        if (!(error instanceof StoreAway && error.outcome === "not-written")) loading = null;
        throw error;
      }
      if (applied.ok) note(changes);
      else await readAnew(changes);
      return applied;
    },
    async touchNodes(seen) {
      await store.touchNodes(seen);
      for (const { id, at } of seen) {
        const node = records.nodes.get(id);
        if (node !== undefined) putNode(records, id, { ...node, lastSeenAt: at });
      }
    },
    policy: async () => (await known()).policy ?? store.policy(),
    group: async (name) => (await known()).groups.get(name) ?? null,
    groups: async () => sorted((await known()).groups),
    lease: leaseOf,
    async busyLeases() {
      const { leases } = await known();
      return [...leases].flatMap(([group, lease]) =>
        lease.value.holders.length + lease.value.broken.length > 0 ? [{ ...lease, group }] : [],
      );
    },
    node: async (id) => (await known()).nodes.get(id) ?? null,
    async nodes(group) {
      const now = await known();
      return group === undefined ? allNodes(now) : sorted(now.nodesOf.get(group));
    },
    async nodeByCredential(hash) {
      const { nodes, byCredential } = await known();
      return nodes.get(byCredential.get(hash) ?? "") ?? null;
    },
    rollout: async (id) => (await known()).rollouts.get(id) ?? store.rollout(id),
    async unfinishedRollouts(group) {
      const found = [...(await known()).rollouts.values()];
      return group === undefined ? found : found.filter(({ value }) => hasGroup(value, group));
    },
    activeJob: async (nodeId) => (await known()).jobs.get(nodeId) ?? null,
    activeJobs: async () => [...(await known()).jobs.values()],
    activeJobsOf: async (group) => [...((await known()).jobsOf.get(group)?.values() ?? [])],
    activeDiagnosis: async (nodeId) => (await known()).diagnoses.get(nodeId) ?? null,
    activeDiagnoses: async () => [...(await known()).diagnoses.values()],
  };
}
