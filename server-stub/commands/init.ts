import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TokenCreated, TokenList } from "../../protocol/access.ts";
import { keysDirOf } from "../assemble.ts";
import type { Config } from "../config.ts";
import { asLocal } from "../local.ts";
import { firstKeyRequest } from "../repository/online-keys.ts";

export type Initialised = {
  readonly stateDir: string;
  /** Request for the publisher: `baton keys sign` answers it. */
  readonly keyRequestFile: string;
  /** Holds the first administrator's token; null when there are tokens already. */
  readonly adminTokenFile: string | null;
};

/**
 * Makes what a coordinator needs to start: state directory, database, snapshot and timestamp keys with the request
 * to name them, and the first administrator's token. What is there already stays as it is: it may be run again.
 */
export async function init(
  config: Config,
  tokenFile = join(config.stateDir, "admin.token"),
): Promise<Initialised> {
  await mkdir(config.stateDir, { recursive: true, mode: 0o700 });
  const request = await firstKeyRequest(keysDirOf(config));
  const keyRequestFile = join(config.stateDir, "key-request.json");
  await writeFile(keyRequestFile, `${JSON.stringify(request, null, 2)}\n`, { mode: 0o644 });
  const secret = await asLocal(config, async (local) => {
    const { tokens } = await local.call("GET", "/v1/tokens", TokenList);
    if (tokens.some(({ revoked, role }) => !revoked && role === "admin")) return null;
    const body = { name: "admin", role: "admin" };
    return (await local.call("POST", "/v1/tokens", TokenCreated, body)).secret;
  });
  if (secret !== null) await writeFile(tokenFile, `${secret}\n`, { mode: 0o600 });
  return { stateDir: config.stateDir, keyRequestFile, adminTokenFile: secret === null ? null : tokenFile };
}
