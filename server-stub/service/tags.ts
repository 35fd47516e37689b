/**
 * ETags of what can be edited. A tag is of the *configured* part alone: what was heard of a node a moment ago is no
 * edit, and must not make anybody's `If-Match` stale.
 * Source: RFC 9110, 8.8.3 and 13.1.1; docs/adr/0076-repeated-and-stale-requests.md.
 */
import type { Node } from "../../protocol/node.ts";
import type { Channel, FleetPolicy } from "../../protocol/policy.ts";
import type { Result } from "../../protocol/result.ts";
import type { Webhook } from "../../protocol/webhook.ts";
import { fingerprint } from "../core/fingerprint.ts";
import type { GroupRecord } from "../store/records.ts";
import type { IfMatch, Refusal } from "./answer.ts";
import { refuse } from "./refusals.ts";

export type { IfMatch };

/** The tag of a configuration, in its quotes. Equal configurations have equal tags. */
export const tagOf = (configured: unknown): string => `"${fingerprint(configured).slice(0, 24)}"`;

export const nodeTag = ({
  name,
  group,
  voter,
  labels,
  membership,
}: Pick<Node, "name" | "group" | "voter" | "labels" | "membership">): string =>
  tagOf({ name, group, voter, labels, membership });

export const groupTag = ({
  name,
  mode,
  spare,
  windows,
  channel,
}: Pick<GroupRecord, "name" | "mode" | "spare" | "windows" | "channel">): string =>
  tagOf({ name, mode, spare, windows, channel });

export const policyTag = ({ windows, rollout }: Pick<FleetPolicy, "windows" | "rollout">): string =>
  tagOf({ windows, rollout });

export const webhookTag = ({
  url,
  alerts,
  rollouts,
  enabled,
}: Pick<Webhook, "url" | "alerts" | "rollouts" | "enabled">): string =>
  tagOf({ url, alerts, rollouts, enabled });

/** Not of the release: to promote one is no edit. */
export const channelTag = ({
  name,
  startOnPublish,
  selection,
  policy,
}: Pick<Channel, "name" | "startOnPublish" | "selection" | "policy">): string =>
  tagOf({ name, startOnPublish, selection, policy });

/**
 * Null when the header matches; nothing matches what is not there (`current` null). To be asked with what was read in the very attempt that then writes, so that nobody
 * can change it in between.
 */
export function denyStale(ifMatch: IfMatch, current: string | null): Result<never, Refusal> | null {
  if (ifMatch === null) return null;
  const tags = ifMatch.split(",").map((tag) => tag.trim());
  // By the strong comparison: a weak tag matches nothing.
  if (current !== null && (tags.includes("*") || tags.includes(current))) return null;
  return refuse("precondition-failed", "It was changed since you read it; nothing was changed now.", {
    hint: "Read it again, decide again, and send the new ETag in If-Match.",
    context: { current },
  });
}
