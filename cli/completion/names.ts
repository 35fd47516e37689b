/** The names that the coordinator knows, for completion: one quick question, and silence when there is no answer. */
import { JoinToken, OperatorToken } from "../../protocol/access.ts";
import { Alert } from "../../protocol/alert.ts";
import { Group } from "../../protocol/group.ts";
import { Job } from "../../protocol/job.ts";
import { Node } from "../../protocol/node.ts";
import { Channel } from "../../protocol/policy.ts";
import { Release } from "../../protocol/release.ts";
import { RolloutSummary } from "../../protocol/rollout.ts";
import { type Static, type TSchema, Type } from "../../protocol/schema.ts";
import { Webhook } from "../../protocol/webhook.ts";
import { type ApiClient, path, query } from "../api/client.ts";
import { readContexts } from "../context/settings.ts";
import { stateOf } from "../show/node.ts";
import { aimOf } from "../show/rollout/words.ts";
import type { World } from "../world.ts";
import type { Candidate, Completion } from "./complete.ts";
import type { NameKind } from "./kinds.ts";

/** A person who has pressed Tab waits no longer. */
const TIMEOUT_MS = 1_000;
const MOST = 500;

/** Throws when the coordinator cannot be asked: whoever asks for completion keeps that to themselves. */
export async function namesOf(
  world: World,
  kind: NameKind,
  target: Completion["target"],
): Promise<readonly Candidate[]> {
  if (kind === "context") {
    const { contexts } = await readContexts(world.env);
    return [...contexts].map(([value, { url = "" }]) => ({ value, description: url }));
  }
  const api = await world.api({ ...target, timeoutMs: TIMEOUT_MS });
  return ASK[kind](api);
}

const ASK: Readonly<Record<Exclude<NameKind, "context">, (api: ApiClient) => Promise<readonly Candidate[]>>> =
  {
    node: (api) =>
      some(api, "nodes", "nodes", Node, (node) => [
        node.name,
        `${node.group}, ${node.build?.version ?? "-"}, ${stateOf(node)}`,
      ]),
    group: (api) =>
      some(api, "groups", "groups", Group, ({ name, mode, nodes }) => [name, `${mode}, ${nodes} nodes`]),
    rollout: (api) =>
      some(api, "rollouts", "rollouts", RolloutSummary, (each) => [
        each.id,
        `${aimOf(each)}, ${each.status}`,
      ]),
    job: (api) =>
      some(api, "jobs", "jobs", Job, (job) => [job.id, `${job.kind} ${job.release ?? ""}, ${job.status}`]),
    channel: (api) =>
      some(api, "channels", "channels", Channel, ({ name, release }) => [name, release ?? "no release"]),
    release: async (api) =>
      some(api, "releases", "releases", Release, ({ version, bundles }) => [
        version,
        bundles.map(({ platform }) => platform).join(", "),
      ]),
    token: (api) =>
      some(api, "tokens", "tokens", OperatorToken, ({ id, name, role }) => [id, `${name}, ${role}`]),
    "join-token": (api) =>
      some(api, "join-tokens", "joinTokens", JoinToken, ({ id, group, usesLeft }) => [
        id,
        `${group}, ${usesLeft} left`,
      ]),
    webhook: (api) => some(api, "webhooks", "webhooks", Webhook, ({ id, url }) => [id, url]),
    alert: (api) => some(api, "alerts", "alerts", Alert, ({ id, message }) => [String(id), message]),
    label: async (api) => {
      const nodes = await list(api, "nodes", "nodes", Node);
      const labels = new Set(
        nodes.flatMap((node) => Object.entries(node.labels).map(([key, value]) => `${key}=${value}`)),
      );
      return [...labels].sort().map((value) => ({ value, description: "" }));
    },
  };

async function some<S extends TSchema>(
  api: ApiClient,
  topic: string,
  key: string,
  entry: S,
  candidate: (entry: Static<S>) => readonly [string, string],
): Promise<readonly Candidate[]> {
  return (await list(api, topic, key, entry)).map((each) => {
    const [value, description] = candidate(each);
    return { value, description };
  });
}

async function list<S extends TSchema>(
  api: ApiClient,
  topic: string,
  key: string,
  entry: S,
): Promise<readonly Static<S>[]> {
  // The releases come in one piece.
  const asked = topic === "releases" ? "" : query({ limit: MOST });
  const answer = await api.call({
    path: `${path("v1", topic)}${asked}`,
    answer: Type.Object({ [key]: Type.Array(entry) }),
  });
  return answer.ok ? ((answer.value as Record<string, Static<S>[]>)[key] ?? []) : [];
}
