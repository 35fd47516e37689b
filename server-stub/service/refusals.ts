import { err, type Result } from "../../protocol/result.ts";
import type { Refusal } from "./answer.ts";

/** A refusal as an outcome: nothing was changed. */
export const refuse = (
  code: Refusal["code"],
  message: string,
  more: Omit<Refusal, "code" | "message"> = {},
): Result<never, Refusal> => err({ code, message, ...more });

/** What there may be none of, and the command that lists those that there are. */
const LISTED = {
  alert: "baton alerts --all",
  channel: "baton channels",
  group: "baton groups",
  job: "baton jobs",
  "join token": "baton join-tokens",
  node: "baton nodes",
  rollout: "baton rollout list",
  token: "baton tokens",
  webhook: "baton webhooks",
} as const;

const no =
  (what: keyof typeof LISTED) =>
  (id: string | number): Result<never, Refusal> =>
    refuse("not-found", `There is no ${what} ${id}.`, {
      hint: `Look for it with \`${LISTED[what]}\`.`,
      context: { [what]: id },
    });

export const noAlert = no("alert");
export const noChannel = no("channel");
export const noGroup = no("group");
export const noJob = no("job");
export const noJoinToken = no("join token");
export const noNode = no("node");
export const noRollout = no("rollout");
export const noToken = no("token");
export const noWebhook = no("webhook");
