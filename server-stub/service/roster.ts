/**
 * Every node, group and active job as they are stored, kept in memory and brought up to date by what has changed since:
 * an engine that looks at ten thousand nodes because five of them moved reads those five. It is never behind the store
 * at the moment it is asked, since an event is there with the change that it tells of; and what is written on the word
 * of it names revisions, like everywhere.
 */
import type { GroupName, JobId, NodeId } from "../../protocol/names.ts";
import { isActive, type JobRecord } from "../core/job/job.ts";
import type { EventRecord } from "../store/events.ts";
import type { GroupRecord, NodeRecord, Stored } from "../store/records.ts";
import type { Store } from "../store/store.ts";

/** As it was at one moment: these maps never change. */
export type Roster = {
  readonly nodes: ReadonlyMap<NodeId, Stored<NodeRecord>>;
  readonly groups: ReadonlyMap<GroupName, Stored<GroupRecord>>;
  /** The job that is queued or running on a node; no diagnoses. */
  readonly jobs: ReadonlyMap<NodeId, Stored<JobRecord>>;
};

/** Reading so many changes one by one takes as long as reading everything. */
const MOST_CHANGES = 2_000;

export function createRoster(store: Store): () => Promise<Roster> {
  let roster: Roster | null = null;
  let readUpTo = 0;
  let turn: Promise<unknown> = Promise.resolve();

  const refresh = async (): Promise<Roster> => {
    const changes = roster === null ? null : await changesAfter(store, readUpTo);
    if (roster === null || changes === null) {
      // What is written while everything is read comes again as a change.
      readUpTo = await store.lastEventId();
      roster = await readAll(store);
    } else if (changes.length > 0) {
      roster = await withChanges(store, roster, changes);
      readUpTo = changes.at(-1)?.id ?? readUpTo;
    }
    return roster;
  };
  return () => {
    const next = turn.then(refresh);
    turn = next.catch(() => undefined);
    return next;
  };
}

/** Null when there are too many, or when some may have been let go of already. */
async function changesAfter(store: Store, id: number): Promise<readonly EventRecord[] | null> {
  const changes = await store.changesSince(id, MOST_CHANGES);
  if (changes.length === MOST_CHANGES) return null;
  const [first] = changes;
  if (first === undefined || first.id === id + 1) return changes;
  return (await store.oldestEventId()) <= id ? changes : null;
}

async function readAll(store: Store): Promise<Roster> {
  const [nodes, groups, jobs] = await Promise.all([store.nodes(), store.groups(), store.activeJobs()]);
  return {
    nodes: new Map(nodes.map(({ value, revision }) => [value.id, { value, revision }])),
    groups: new Map(groups.map((group) => [group.value.name, group])),
    jobs: new Map(jobs.map((job) => [job.value.nodeId, job])),
  };
}

async function withChanges(store: Store, before: Roster, changes: readonly EventRecord[]): Promise<Roster> {
  const subjects = (...kinds: EventRecord["kind"][]) => [
    ...new Set(changes.filter(({ kind }) => kinds.includes(kind)).map(({ subject }) => subject)),
  ];
  return {
    nodes: await again(before.nodes, subjects("node", "node-removed"), async (id) => {
      const node = await store.node(id);
      return node === null ? null : { value: node.value, revision: node.revision };
    }),
    groups: await again(before.groups, subjects("group"), (name) => store.group(name)),
    jobs: await jobsAgain(store, before.jobs, subjects("job")),
  };
}

/** The same map when nothing in it is another. */
async function again<T>(
  before: ReadonlyMap<string, Stored<T>>,
  keys: readonly string[],
  read: (key: string) => Promise<Stored<T> | null>,
): Promise<ReadonlyMap<string, Stored<T>>> {
  let after: Map<string, Stored<T>> | null = null;
  for (const key of keys) {
    const record = await read(key);
    if (record?.revision === before.get(key)?.revision) continue;
    after ??= new Map(before);
    if (record === null) after.delete(key);
    else after.set(key, record);
  }
  return after ?? before;
}

async function jobsAgain(
  store: Store,
  before: Roster["jobs"],
  ids: readonly JobId[],
): Promise<Roster["jobs"]> {
  if (ids.length === 0) return before;
  const after = new Map(before);
  const jobs = (await store.jobsById(ids)).filter(({ value }) => value.kind !== "diagnose");
  // Of two jobs of a node one has ended: whichever comes first here, the active one is the one that stays.
  for (const job of jobs) {
    const { nodeId, id } = job.value;
    if (isActive(job.value)) after.set(nodeId, job);
    else if (after.get(nodeId)?.value.id === id) after.delete(nodeId);
  }
  return after;
}
