import { isLoopbackHost } from "../../protocol/proxy.ts";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";

/** The coordinator's addresses, in the order of the configuration: the next one is taken when one fails. */
export type Addresses = {
  current(): string;
  /** Every one of them once, from the current one on. */
  all(): readonly [string, ...string[]];
  /** `address` did not answer; a failure of one that is no longer the current one changes nothing. */
  failed(address: string): void;
};

export function createAddresses(servers: readonly [string, ...string[]]): Addresses {
  let index = 0;
  const current = () => servers[index] ?? servers[0];
  return {
    current,
    all: () => [current(), ...servers.slice(index + 1), ...servers.slice(0, index)],
    failed: (address) => {
      if (address === current()) index = (index + 1) % servers.length;
    },
  };
}

/** An address without trailing slashes, or why it cannot be one. Errors: `malformed`, `insecure`. */
export function parseAddress(
  text: string,
  { allowInsecure }: { allowInsecure: boolean },
): Result<string, Fault<"malformed" | "insecure">> {
  if (!URL.canParse(text)) return err(notAnAddress(text, "it is not a URL"));
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return err(notAnAddress(text, "it must begin with https:// or http://"));
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    return err(notAnAddress(text, "it must have no user, query or fragment"));
  if (url.protocol === "http:" && !allowInsecure && !isLoopbackHost(url.hostname)) {
    return err({
      code: "insecure",
      message: `${text} is plain HTTP to another machine: anybody on the way could read this node's credential.`,
      hint: "Use https://, or allow it by name (--insecure-http, allow_insecure_http = true).",
    });
  }
  return ok(url.href.replace(/\/+$/, ""));
}

const notAnAddress = (text: string, why: string): Fault<"malformed"> => ({
  code: "malformed",
  message: `${text} is not the address of a coordinator: ${why}.`,
  hint: "Write it like https://coordinator.example:8443.",
});
