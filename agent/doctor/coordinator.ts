import type { Finding } from "../../protocol/finding.ts";
import type { ServiceVersion } from "../../protocol/service.ts";
import type { DurationMs, EpochMs } from "../../protocol/time.ts";
import { findingsOf } from "./finding.ts";

/** Something that was tried. */
export type Tried = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** What became of `GET /v1/version`. */
export type Answered =
  | {
      readonly ok: true;
      readonly ms: DurationMs;
      readonly status: number;
      /** Null when it is no coordinator's answer. */
      readonly version: ServiceVersion | null;
      /** This machine's clock less the server's, in the middle of the request. */
      readonly offsetMs: DurationMs | null;
      /** The first certificate of the server's chain to expire; null for plain HTTP. */
      readonly certificate: { readonly subject: string; readonly expires: EpochMs } | null;
    }
  | { readonly ok: false; readonly code: string; readonly why: string };

/** One address, layer by layer; a layer that was not reached is null. */
export type ServerFacts = {
  readonly server: string;
  /** Its address, without a password. */
  readonly proxy: string | null;
  /** Of the server, or of the proxy where there is one. */
  readonly name: Tried | null;
  readonly connection: Tried | null;
  readonly answer: Answered | null;
  readonly credential: Tried | null;
};

export type CoordinatorFacts = { readonly servers: readonly ServerFacts[] };

const { ok, warning, problem } = findingsOf("coordinator");

/** Whether the coordinator can be reached, and where on the way it ends if not. */
export function judgeCoordinator({ servers }: CoordinatorFacts): Finding[] {
  if (servers.length === 0) {
    return [
      warning(
        "no-coordinator",
        "No coordinator is known, so none was looked for.",
        "Join one: agent join URL --root-fingerprint HEX",
      ),
    ];
  }
  const judged = servers.map(judgeServer);
  // One address that works is enough: what is wrong with others can wait.
  const works = judged.some(({ level }) => level === "ok");
  return judged.map((each) =>
    works && each.level === "problem" ? { ...each, level: "warning" as const } : each,
  );
}

function judgeServer({ server, proxy, name, connection, answer, credential }: ServerFacts): Finding {
  const via = proxy === null ? "" : ` through the proxy ${proxy}`;
  const whose = proxy === null ? server : `the proxy ${proxy}`;
  if (name !== null && !name.ok) {
    return problem(
      "name-unknown",
      `The name of ${whose} cannot be resolved: ${name.why}.`,
      proxy === null
        ? "Is it spelled right (server in the settings, else as joined)? Does this machine have DNS: resolvectl query NAME"
        : "Is it spelled right (proxy in the settings, else HTTPS_PROXY)?",
    );
  }
  if (connection !== null && !connection.ok) {
    return problem(
      "no-connection",
      `${whose} takes no connection: ${connection.why}.`,
      "Does it run, and does every firewall on the way let this port through?",
    );
  }
  if (answer === null) return problem("not-tried", `${server} was not tried.`, "Say it again.");
  if (!answer.ok) return judgeFailure(server, via, answer);
  if (answer.version === null) {
    return problem(
      "not-a-coordinator",
      `${server}${via} answers (status ${answer.status}), but not as a coordinator.`,
      "Is it the right address and port? A proxy or a login page may answer instead.",
    );
  }
  if (credential !== null && !credential.ok) {
    return problem(
      "credential-refused",
      `${server}${via} does not accept this node's credential: ${credential.why}`,
      "A node that waits: baton nodes approve NAME. One that was revoked or removed joins again: agent join --force",
    );
  }
  return ok(
    "reached",
    `${server}${via} answers in ${answer.ms} ms${credential === null ? "" : ", and knows this node"}.`,
  );
}

const EXPIRED = /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/;
const UNTRUSTED = /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_|ERR_TLS_CERT_ALTNAME)/;

function judgeFailure(server: string, via: string, { code, why }: Extract<Answered, { ok: false }>): Finding {
  if (EXPIRED.test(code)) {
    return problem(
      "certificate-not-valid",
      `The certificate of ${server} has expired, or is not valid yet: ${why}.`,
      "Renew it on the coordinator, which takes the new files by itself. Is the clock of this machine right?",
    );
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return problem(
      "certificate-of-another",
      `The certificate of ${server} is for another name: ${why}`,
      "Use a name that it has (server in the settings), or give the coordinator a certificate with this one.",
    );
  }
  if (UNTRUSTED.test(code)) {
    return problem(
      "certificate-not-trusted",
      `The certificate of ${server}${via} is not trusted: ${why}.`,
      "If it is your own authority's, name its certificate as ca_file in the settings. A proxy that reads along has one of its own, too.",
    );
  }
  return problem(
    code === "timed-out" ? "no-answer" : "broken-answer",
    `${server}${via} gives no answer: ${why}.`,
    via === ""
      ? "Look at the coordinator's log."
      : "Does the proxy let this address through, and is its password right?",
  );
}
