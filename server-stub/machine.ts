/** What the coordinator's own machine is asked for. */
import { X509Certificate } from "node:crypto";
import { readFile, statfs } from "node:fs/promises";
import type { Config } from "./config.ts";
import type { Machine } from "./service/parts.ts";

export const machineOf = ({ stateDir, tls }: Pick<Config, "stateDir" | "tls">): Machine => ({
  disk: async () => {
    const { bavail, blocks, bsize } = await statfs(stateDir);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
  certificate: async () =>
    tls === null ? null : new X509Certificate(await readFile(tls.certFile)).validToDate.getTime(),
});
