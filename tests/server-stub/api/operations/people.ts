import type { Door } from "../../harness/door.ts";
import type { Rows } from "./row.ts";

const tokenId = async (door: Door): Promise<string> => {
  const body = { name: door.fresh("ann"), role: "viewer" };
  const made = await door.must("POST", "/v1/tokens", { body });
  return (made.token as { id: string }).id;
};
const joinTokenId = async (door: Door): Promise<string> => {
  const made = await door.must("POST", "/v1/join-tokens", { body: { group: await door.group() } });
  return String(made.id);
};

/** As a browser sends it for a page of the dashboard. */
const FROM_THE_PAGE = { "baton-dashboard": "1", "sec-fetch-site": "same-origin" };

/** Sign-ins, tokens, alerts, events and the audit log. */
export const peopleRows: Rows = {
  signIn: (door) => [
    "POST",
    "/v1/sign-in",
    { token: null, body: { token: door.adminToken }, headers: FROM_THE_PAGE },
  ],
  signOut: async (door) => {
    const { headers } = await door.call("POST", "/v1/sign-in", {
      token: null,
      body: { token: door.adminToken },
      headers: FROM_THE_PAGE,
    });
    const cookie = String(headers["set-cookie"]).split(";")[0] ?? "";
    return ["POST", "/v1/sign-out", { token: null, headers: { ...FROM_THE_PAGE, cookie } }];
  },
  createSignInLink: () => ["POST", "/v1/sign-in-links"],

  whoAmI: () => ["GET", "/v1/whoami"],
  listTokens: () => ["GET", "/v1/tokens"],
  createToken: (door) => ["POST", "/v1/tokens", { body: { name: door.fresh("ann"), role: "viewer" } }],
  revokeToken: async (door) => ["POST", `/v1/tokens/${await tokenId(door)}/revoke`],
  listJoinTokens: async (door) => {
    await joinTokenId(door);
    return ["GET", "/v1/join-tokens"];
  },
  createJoinToken: async (door) => ["POST", "/v1/join-tokens", { body: { group: await door.group() } }],
  revokeJoinToken: async (door) => ["POST", `/v1/join-tokens/${await joinTokenId(door)}/revoke`],

  streamEvents: async (door) => {
    const node = await door.join();
    await node.hello();
    return ["GET", "/v1/events", { provoke: () => node.beat() }];
  },
  listAlerts: () => ["GET", "/v1/alerts"],
  acknowledgeAlert: async (door) => {
    const node = await door.online();
    await node.update();
    await node.fail();
    const { alerts } = (await door.must("GET", "/v1/alerts")) as { alerts: { id: number }[] };
    return ["POST", `/v1/alerts/${alerts[0]?.id}/ack`, { body: { note: "looking into it" } }];
  },
  listAudit: () => ["GET", "/v1/audit?limit=5"],
  exportAudit: () => ["GET", "/v1/audit/export"],
};
