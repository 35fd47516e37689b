import { isIP } from "node:net";
import { err, type Fault, ok, type Result } from "../../../protocol/result.ts";
import { notPublic } from "./address.ts";

/** Whether webhooks may lead to addresses that are not public, and go without TLS. */
export type Reach = { readonly allowPrivate: boolean };

/**
 * The address of a webhook, if it is one that a message may be sent to; to what its name leads is looked up when it is
 * sent. Error: `webhook-refused`.
 */
export function webhookUrl(text: string, { allowPrivate }: Reach): Result<URL, Fault<"webhook-refused">> {
  const url = URL.parse(text);
  if (url === null) return refused("It is no address.", "Give it like https://hooks.example/baton.");
  if (url.protocol !== "https:" && !(allowPrivate && url.protocol === "http:")) {
    const hint = `Use https${url.protocol === "http:" ? "; http needs allow_private below [webhooks] in the coordinator's settings" : ""}.`;
    return refused(`It begins with ${url.protocol} and would be read by anybody on the way.`, hint);
  }
  if (url.username !== "" || url.password !== "") {
    return refused(
      "It has a user name or a password in it.",
      "Messages are signed; put nothing before the @.",
    );
  }
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  const what = isIP(literal) === 0 ? null : notPublic(literal);
  if (what !== null && !allowPrivate)
    return refused(`${literal} is not public: it is ${what}.`, PRIVATE_HINT);
  return ok(url);
}

export const PRIVATE_HINT =
  "If messages are to go there, set allow_private = true below [webhooks] in the coordinator's settings.";

const refused = (message: string, hint: string): Result<never, Fault<"webhook-refused">> =>
  err({ code: "webhook-refused", message: `No message can be sent to this address. ${message}`, hint });
