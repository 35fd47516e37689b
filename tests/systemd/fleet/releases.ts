import { copyFileSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { AGENT_ENTRY } from "../../../cli/bundle/make.ts";
import type { PackedBundle } from "../../../cli/bundle/pack.ts";
import { build } from "../../../packaging/bundle/build.ts";
import type { Build } from "../../../protocol/build.ts";
import { type BundleRequest, makeBundle } from "../fixtures/make-bundle.ts";
import type { VariantName } from "../fixtures/variants.ts";
import type { Lab } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";

export type BundleWish = {
  readonly variant: VariantName;
  readonly version: string;
  readonly ballastBytes?: number;
  readonly workload?: BundleRequest["workload"];
};

/** A bundle of the stock agent and the lab's workload, made once for all scenarios. */
export function bundle(lab: Lab, wish: BundleWish): Promise<PackedBundle> {
  const name = `${wish.version}-${wish.variant}-${wish.ballastBytes ?? 0}${wish.workload === undefined ? "" : `-${wish.workload}`}`;
  return lab.once(`bundle ${name}`, async () => {
    const dir = join(lab.site.directory, "bundles");
    mkdirSync(dir, { recursive: true });
    const [agent] = await lab.once("programs", () => build(["agent"]));
    if (agent === undefined) throw new Error("The agent was not built.");
    const out = join(dir, `${name}.tar.zst`);
    return await makeBundle({ ...wish, agentDir: agent.dir, agentEntry: AGENT_ENTRY, out });
  });
}

/** What the publisher's and the operator's commands need on c1, where the lab has both. */
export const BATON_ENV = {
  BATON_URL: "https://c1:8420",
  BATON_CA_FILE: "/etc/baton/ca.crt",
  BATON_TOKEN_FILE: "/root/admin.token",
  BATON_KEYS: "/root/baton-keys",
  BATON_PASSPHRASE_FILE: "/root/passphrase",
};

/** Makes a release and publishes it by `baton publish`. Gives the build that nodes will run. */
export async function publish(
  lab: Lab,
  c1: Node,
  wish: BundleWish,
  options: readonly string[] = [],
): Promise<Build> {
  const packed = await bundle(lab, wish);
  const inside = `/root/bundles/${basename(packed.file)}`;
  mkdirSync(c1.outside("/root/bundles"), { recursive: true });
  copyFileSync(packed.file, c1.outside(inside));
  await c1.must(["baton", "publish", inside, ...options], { env: BATON_ENV });
  return packed.build;
}
