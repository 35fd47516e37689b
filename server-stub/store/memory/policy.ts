import type { ChannelName } from "../../../protocol/names.ts";
import type { FleetPolicy } from "../../../protocol/policy.ts";
import { type ChannelRecord, FIRST_POLICY, type PolicyChange } from "../policy.ts";
import type { Revision, Stored } from "../records.ts";
import type { Write } from "./write.ts";

export type PolicyState = {
  readonly policy: Map<"policy", Stored<FleetPolicy>>;
  readonly channels: Map<ChannelName, Stored<ChannelRecord>>;
};

export const firstPolicyState = (): PolicyState => ({
  policy: new Map([["policy", { value: FIRST_POLICY, revision: 1 }]]),
  channels: new Map(),
});

/** False: the expectation does not hold. */
export function applyPolicy({ policy, channels }: PolicyState, change: PolicyChange, write: Write): boolean {
  switch (change.kind) {
    case "policy":
      return put(policy, "policy", change.value, change.expected, write);
    case "same-policy":
      return policy.get("policy")?.revision === change.expected;
    case "channel":
      return put(channels, change.value.name, change.value, change.expected, write);
    case "remove-channel":
      if (channels.get(change.name)?.revision !== change.expected) return false;
      write.remove(channels, change.name);
      return true;
  }
}

function put<K, T>(map: Map<K, Stored<T>>, key: K, value: T, expected: Revision, write: Write): boolean {
  if ((map.get(key)?.revision ?? 0) !== expected) return false;
  write.set(map, key, { value, revision: expected + 1 });
  return true;
}

/** What the store reads of it. */
export const readPolicy = ({ policy, channels }: PolicyState) => ({
  async policy(): Promise<Stored<FleetPolicy>> {
    const stored = policy.get("policy");
    if (stored === undefined) throw new Error("the store has no policy record");
    return stored;
  },
  channel: (name: ChannelName) => Promise.resolve(channels.get(name) ?? null),
  channels: () =>
    Promise.resolve([...channels.values()].sort((a, b) => (a.value.name < b.value.name ? -1 : 1))),
});
