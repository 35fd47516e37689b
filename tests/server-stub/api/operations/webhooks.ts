import type { Door } from "../../harness/door.ts";
import type { Rows } from "./row.ts";

/** An address at which nobody listens: what is sent there fails at once, and that is an answer as well. */
const HOOK = { url: "http://127.0.0.1:9/hook", rollouts: ["rollout.halted"] };

const webhook = async (door: Door): Promise<string> => {
  const made = await door.must("POST", "/v1/webhooks", { body: HOOK });
  return `/v1/webhooks/${(made.webhook as { id: string }).id}`;
};

/** Who is told. */
export const webhookRows: Rows = {
  listWebhooks: async (door) => {
    await webhook(door);
    return ["GET", "/v1/webhooks"];
  },
  createWebhook: () => ["POST", "/v1/webhooks", { body: HOOK }],
  getWebhook: async (door) => ["GET", await webhook(door)],
  editWebhook: async (door) => ["PATCH", await webhook(door), { body: { enabled: false } }],
  removeWebhook: async (door) => ["DELETE", await webhook(door)],
  testWebhook: async (door) => ["POST", `${await webhook(door)}/test`],
  listDeliveries: async (door) => {
    const path = await webhook(door);
    await door.must("POST", `${path}/test`);
    return ["GET", `${path}/deliveries`];
  },
};
