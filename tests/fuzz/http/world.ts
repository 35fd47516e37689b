/** A coordinator with something of everything, for calls to hit upon, and a caller of every kind. */
import fc from "fast-check";
import type { Audience } from "../../../server-stub/api/permissions.ts";
import { Door, type DoorAnswer } from "../../server-stub/harness/door.ts";
import type { DoorNode } from "../../server-stub/harness/door-node.ts";
import type { SchemaOptions } from "../generate/from-schema.ts";
import type { Call, Operation } from "./calls.ts";

export type World = {
  readonly door: Door;
  /** Ids and names of what there is. */
  readonly named: NonNullable<SchemaOptions["named"]>;
  call(operation: Pick<Operation, "method">, call: Call): Promise<DoorAnswer>;
  close(): Promise<void>;
};

/** Nothing of the world outside: webhooks lead to where nobody listens. */
const URLS = [
  "http://127.0.0.1:1/x",
  "https://[::1]:1/",
  "https://127.0.0.1:1",
  "ftp://x",
  "javascript:1",
  "http://",
];

export async function makeWorld(): Promise<World> {
  const door = await Door.open("[webhooks]\nallow_private = true");
  await door.publish("1.1.0");
  const made = async (path: string, body: object) => door.must("POST", path, { body });
  const idOf = (value: unknown): string => String((value as { id?: unknown }).id);
  const nodes: DoorNode[] = [];
  for (let count = 0; count < 4; count += 1) nodes.push(await door.online({ protocol: 2 }));
  const pending = await door.join({ autoApprove: false });
  const [busy, rolled] = nodes as [DoorNode, DoorNode];
  const jobId = await busy.update();
  const rollout = await made("/v1/rollouts", { selection: { nodes: [rolled.name] } });
  await rolled.beat();
  const webhook = await made("/v1/webhooks", { url: "http://127.0.0.1:1/x" });
  await door.must("PUT", "/v1/channels/stable", { body: {} });
  const tokens: Record<Audience, string | null> = {
    anonymous: null,
    pending: pending.credential,
    node: busy.credential,
    viewer: null,
    operator: null,
    admin: null,
  };
  for (const role of ["viewer", "operator", "admin"] as const) {
    tokens[role] = String((await made("/v1/tokens", { name: role, role })).secret);
  }
  const spare = await made("/v1/tokens", { name: "spare", role: "viewer" });
  const joining = await made("/v1/join-tokens", { group: busy.group });
  const all = [...nodes, pending];
  const some = (...values: readonly unknown[]) => fc.constantFrom(...values);
  const names = some(...all.map(({ name }) => name));
  const groups = some(...all.map(({ group }) => group));
  return {
    door,
    named: {
      nodeId: some(...all.map(({ id }) => id)),
      group: groups,
      groups: groups.map((group) => [group]),
      nodes: names.map((name) => [name]),
      jobId: some(jobId),
      rolloutId: some(String(rollout.id)),
      webhookId: some(idOf(webhook.webhook)),
      channel: some("stable"),
      tokenId: some(idOf(spare.token), String(joining.id)),
      token: some(joining.secret, 1, 2),
      alertId: some(1, 2),
      session: some(busy.session),
      instanceId: some(busy.instanceId),
      seq: fc.integer({ min: 1, max: 100_000 }),
      release: some("1.1.0", "9.9.9"),
      version: some("1.1.0"),
      build: some(door.build("1.1.0"), busy.build),
      url: some(...URLS),
      cron: some("0 3 * * *", "0 0 30 2 *", "* * * * *", "0-99999999 * * * *"),
      timezone: some("UTC", "Europe/Paris", "Mars/Olympus"),
      expectedTargetsVersion: some(1, 0),
      kinds: some("node", "rollout,alert"),
      path: some("timestamp.json", "1.root.json", "../../coordinator.db", "..%2f..%2fkeys", "1.1.0/x"),
    },
    call: ({ method }, { as, path, headers, body }) =>
      door.call(method, path, {
        token: tokens[as],
        headers,
        headersOnly: true,
        ...(body === undefined ? {} : { body: Buffer.from(body) }),
      }),
    close: () => door[Symbol.asyncDispose](),
  };
}
