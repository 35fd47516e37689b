import type { Finding } from "../../protocol/finding.ts";
import type { EpochMs } from "../../protocol/time.ts";
import { findingsOf } from "./finding.ts";
import { count, DAY_MS, dayText, spanText } from "./words.ts";

/** Somebody's certificate, and when it expires. */
export type CertificateFacts = { readonly subject: string; readonly expires: EpochMs };

export type CertificatesFacts = {
  /** `ca_file`; null when there is none. */
  readonly caFile:
    | { readonly kind: "unreadable"; readonly file: string; readonly why: string }
    | { readonly kind: "found"; readonly file: string; readonly certificates: readonly CertificateFacts[] }
    | null;
  /** The first of each server's chain to expire, as far as it was seen. */
  readonly servers: readonly (CertificateFacts & { readonly server: string })[];
  readonly now: EpochMs;
};

const SOON_MS = 14 * DAY_MS;

const { ok, warning, problem } = findingsOf("certificates");

/** What is trusted, and how long it lasts. */
export function judgeCertificates({ caFile, servers, now }: CertificatesFacts): Finding[] {
  return [...judgeAuthorities(caFile, now), ...servers.map((each) => judgeServer(each, now))];
}

function judgeAuthorities(caFile: CertificatesFacts["caFile"], now: EpochMs): Finding[] {
  if (caFile === null) return [];
  const { file } = caFile;
  if (caFile.kind === "unreadable") {
    return [
      problem(
        "ca-file-unreadable",
        `ca_file, ${file}, holds no certificate that can be read: ${caFile.why}.`,
        "Mend the file; a running agent looks at it before each connection, and needs no restart.",
      ),
    ];
  }
  const expired = caFile.certificates.filter(({ expires }) => expires <= now);
  const soon = caFile.certificates.filter(({ expires }) => expires > now && expires - now < SOON_MS);
  return [
    ...(expired.length + soon.length === 0
      ? [
          ok(
            "ca-file",
            `ca_file, ${file}, holds ${count(caFile.certificates.length, "valid authority", "valid authorities")}.`,
          ),
        ]
      : []),
    ...expired.map(({ subject, expires }) =>
      warning(
        "authority-expired",
        `In ${file}, ${subject} expired ${dayText(expires)}.`,
        "Take it out, and put its successor in.",
      ),
    ),
    ...soon.map(({ subject, expires }) =>
      warning(
        "authority-expiring",
        `In ${file}, ${subject} expires ${dayText(expires)}.`,
        "Put its successor in beside it.",
      ),
    ),
  ];
}

function judgeServer(
  { server, subject, expires }: CertificateFacts & { server: string },
  now: EpochMs,
): Finding {
  const left = expires - now;
  const message = `The certificate of ${server} (${subject}) is valid until ${dayText(expires)}`;
  if (left >= SOON_MS) return ok("server-certificate", `${message}.`);
  return warning(
    "server-certificate-expiring",
    `${message}: ${spanText(left)} from now. After that no node reaches the coordinator.`,
    "Renew it on the coordinator, which takes the new files by itself.",
  );
}
