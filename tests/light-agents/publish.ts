/** Trust and releases at a real coordinator, by the publisher of the tests. */
import type { Build } from "../../protocol/build.ts";
import { uploadPath } from "../../protocol/trust.ts";
import type { Publisher } from "../trust/publisher.ts";

/** A call of the API that succeeds, or throws. */
export type MustCall = (method: string, path: string, more: { readonly body: unknown }) => Promise<unknown>;

/** The ceremony, and a first release. */
export async function publishFirst(publisher: Publisher, call: MustCall, version: string): Promise<Build> {
  publisher.now = Date.now();
  const updates = [{ root: await publisher.ceremony() }];
  await call("POST", "/v1/trust", { body: { updates } });
  return await publishTo(publisher, call, version);
}

export async function publishTo(publisher: Publisher, call: MustCall, version: string): Promise<Build> {
  const { sha256, content, versionJson } = publisher.bundle(version);
  await call("PUT", uploadPath(sha256), { body: content });
  publisher.now = Date.now();
  const targets = publisher.sign(version);
  const expectedTargetsVersion = targets.signed.version - 1;
  await call("POST", "/v1/releases", { body: { targets, expectedTargetsVersion } });
  publisher.targets = targets;
  return { version: versionJson.version, buildHash: versionJson.buildHash };
}
