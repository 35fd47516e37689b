import { readFile, stat } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { FaultError } from "../protocol/result.ts";

export type TlsFiles = { readonly certFile: string; readonly keyFile: string };
export type TlsPair = { readonly cert: Buffer; readonly key: Buffer };

/** The coordinator's certificate on the disk, which is renewed while it runs. */
export type Certificate = {
  /** Reads both files. Throws a `FaultError`, `listen`, when they cannot be used together. */
  read(): Promise<TlsPair>;
  /** What is there now, if it is not what was read or tried last; null otherwise. Throws like `read`, once for each change. */
  readIfChanged(): Promise<TlsPair | null>;
};

export function createCertificate(files: TlsFiles): Certificate {
  let seen = "";
  const read = async (): Promise<TlsPair> => {
    // Before they are read: what changes in between is noticed the next time.
    seen = await stampOf(files);
    return readTls(files);
  };
  return {
    read,
    readIfChanged: async () => ((await stampOf(files)) === seen ? null : read()),
  };
}

async function stampOf({ certFile, keyFile }: TlsFiles): Promise<string> {
  const stamps = await Promise.all(
    [certFile, keyFile].map((file) =>
      stat(file, { bigint: true }).then(
        ({ ino, size, mtimeNs, ctimeNs }) => [ino, size, mtimeNs, ctimeNs].join(" "),
        (cause: unknown) => messageOf(cause),
      ),
    ),
  );
  return stamps.join("\n");
}

async function readTls({ certFile, keyFile }: TlsFiles): Promise<TlsPair> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
    // Tried before it is used: a server would take a broken one, and then refuse every connection.
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (cause) {
    throw new FaultError(
      {
        code: "listen",
        message: `The certificate ${certFile} with the key ${keyFile} cannot be used: ${messageOf(cause)}.`,
        hint: "Look at [tls].",
      },
      { cause },
    );
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
