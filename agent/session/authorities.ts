import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { getCACertificates } from "node:tls";
import { FaultError } from "../../protocol/result.ts";
import type { Log } from "../effects/log.ts";

/** Whom to trust, and which reading of the file that is: it rises when other authorities are in the file. */
export type Trusted = { readonly ca: readonly string[] | undefined; readonly reading: number };

/**
 * The authorities that Node trusts and those in a file; without a file undefined, for Node's own alone. Looks at the
 * file whenever it is asked, and reads it when it is another one: a certificate is renewed without a restart. What
 * was read once stays in force while the file cannot be read.
 */
export type Authorities = {
  /** Throws a `FaultError`, `ca-file-unreadable`, when nothing could be read yet. */
  trusted(): Trusted;
};

export function createAuthorities(caFile: string | null, log: Log): Authorities {
  let trusted: Trusted | null = caFile === null ? { ca: undefined, reading: 1 } : null;
  let seen = "";
  let text = "";

  const look = (file: string): Trusted => {
    const stamp = stampOf(file);
    if (trusted !== null && stamp === seen) return trusted;
    const found = readAuthorities(file);
    seen = stamp;
    if (trusted !== null && found === text) return trusted;
    if (trusted !== null) log.info({ file }, "ca_file was read again: it holds other authorities");
    text = found;
    trusted = { ca: [...getCACertificates("default"), text], reading: (trusted?.reading ?? 0) + 1 };
    return trusted;
  };

  return {
    trusted: () => {
      if (caFile === null && trusted !== null) return trusted;
      try {
        return look(caFile ?? "");
      } catch (cause) {
        if (trusted === null || !(cause instanceof FaultError)) throw cause;
        const stamp = stampOf(caFile ?? "");
        if (stamp !== seen)
          log.warn({ code: cause.fault.code }, `${cause.fault.message} What it held is kept.`);
        seen = stamp;
        return trusted;
      }
    },
  };
}

/** The text of a file of certificates. Throws a `FaultError`, `ca-file-unreadable`. */
export function readAuthorities(file: string): string {
  try {
    const text = readFileSync(file, "utf8");
    new X509Certificate(text);
    return text;
  } catch (cause) {
    throw new FaultError(
      {
        code: "ca-file-unreadable",
        message: `${file} holds no certificate that can be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
        hint: "What runs goes on running. Mend the file, or ca_file in the settings.",
      },
      { cause },
    );
  }
}

/** Changes when the file does, and says whether there is one. */
function stampOf(file: string): string {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? "missing" : [found.ino, found.size, found.mtimeNs, found.ctimeNs].join(" ");
}
