/**
 * One rollout as it is now: its head, each of its nodes in a signal of its own, its jobs, and the steps that were seen
 * while the page was open. Read once, kept by the events; read anew after a reset.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { FleetEvent } from "../../../../protocol/event.ts";
import type { Job } from "../../../../protocol/job.ts";
import type { Problem } from "../../../../protocol/problem.ts";
import type { Rollout, RolloutNode, RolloutSummary } from "../../../../protocol/rollout.ts";
import { readAll } from "../../api/client.ts";
import { type Collection, createCollection } from "../../store/collection.ts";
import { type Store, useStore } from "../../store/store.ts";
import { type Entry, stepEntry } from "./history.ts";

export type Head =
  | { readonly kind: "waiting" }
  | { readonly kind: "ready"; readonly value: RolloutSummary }
  | { readonly kind: "failed"; readonly problem: Problem };

export type LiveRollout = {
  readonly head: ReadonlySignal<Head>;
  /** In the order of their turns. */
  readonly nodes: Collection<RolloutNode>;
  readonly jobs: Collection<Job>;
  /** The newest first. */
  readonly steps: ReadonlySignal<readonly Entry[]>;
};

const STEPS_KEPT = 200;

export function useLiveRollout(id: string): LiveRollout {
  const store = useStore();
  const rollout = useMemo(() => createLiveRollout(store, id), [id]);
  useEffect(() => rollout.open(), [rollout]);
  return rollout;
}

function createLiveRollout(store: Store, id: string): LiveRollout & { open(): () => void } {
  const { client, stream } = store;
  const head = signal<Head>({ kind: "waiting" });
  const steps = signal<readonly Entry[]>([]);
  /** An event has told of the head since it was asked for. */
  let told = false;
  const gone = (problem: Problem): void => {
    head.value = { kind: "failed", problem };
    nodes.clear();
    jobs.clear();
  };
  const nodes = createCollection<RolloutNode>({
    key: ({ nodeId }) => nodeId,
    ready: () => stream.ready(),
    fill: async () => {
      told = false;
      const answer = await client.get<Rollout>(`/v1/rollouts/${encodeURIComponent(id)}`);
      if (!answer.ok) {
        if (answer.error.status >= 400 && answer.error.status < 500) gone(answer.error);
        else if (head.value.kind === "waiting") head.value = { kind: "failed", problem: answer.error };
        return answer;
      }
      const { nodes: places, ...summary } = answer.value;
      if (!told) head.value = { kind: "ready", value: summary };
      return { ok: true, value: places };
    },
  });
  const jobs = createCollection<Job>({
    key: (job) => job.id,
    ready: () => stream.ready(),
    fill: (more) => readAll<"jobs", Job>(client, `/v1/jobs?rollout=${encodeURIComponent(id)}`, "jobs", more),
  });

  const takeJob = (job: Job, at: number): void => {
    const before = jobs.get(job.id)?.peek();
    jobs.take(job.id, job);
    if (before?.step === job.step && before?.status === job.status) return;
    const name = nodes.get(job.nodeId)?.peek().name ?? job.nodeId;
    steps.value = [stepEntry(job, name, at), ...steps.value].slice(0, STEPS_KEPT);
  };
  const take = (event: FleetEvent | null): void => {
    if (event === null) {
      nodes.refill();
      jobs.refill();
    } else if (event.kind === "rollout" && event.subject === id) {
      told = true;
      if (event.value === null) gone(GONE);
      else head.value = { kind: "ready", value: event.value as RolloutSummary };
    } else if (event.kind === "rollout-node" && event.subject.startsWith(`${id}/`)) {
      const place = event.value as RolloutNode | null;
      if (place !== null) nodes.take(place.nodeId, place);
    } else if (event.kind === "job") {
      const job = event.value as Job | null;
      if (job?.rolloutId === id) takeJob(job, event.at);
    }
  };
  return {
    head,
    nodes,
    jobs,
    steps,
    open() {
      nodes.want();
      jobs.want();
      const off = store.onEvents(["rollout", "rollout-node", "job"], take);
      return () => {
        off();
        nodes.clear();
        jobs.clear();
      };
    },
  };
}

const GONE: Problem = {
  type: "urn:baton:problem:not-found",
  title: "Not found",
  status: 404,
  code: "not-found",
  detail: "This rollout is no longer kept.",
  hint: "What it did is in the audit log.",
};
