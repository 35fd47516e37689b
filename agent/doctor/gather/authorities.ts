import { X509Certificate } from "node:crypto";
import { FaultError } from "../../../protocol/result.ts";
import { readAuthorities } from "../../session/authorities.ts";
import type { CertificatesFacts } from "../certificates.ts";

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Every certificate in `ca_file`. */
export function lookAtAuthorities(file: string | null): CertificatesFacts["caFile"] {
  if (file === null) return null;
  try {
    const certificates = [...readAuthorities(file).matchAll(PEM)].map(([pem]) => {
      const { subject, validTo } = new X509Certificate(pem);
      return { subject: subject.replaceAll("\n", ", "), expires: Date.parse(validTo) };
    });
    return { kind: "found", file, certificates };
  } catch (cause) {
    const why =
      cause instanceof FaultError && cause.cause instanceof Error ? cause.cause.message : String(cause);
    return { kind: "unreadable", file, why };
  }
}
