/**
 * The fleet as a user would set it up by the runbook, made once for all scenarios of a run and frozen: c1 with the
 * coordinator's package, the keys and an administrator's token; n1, n2 and n3 with the agent's package, joined to
 * the quorum group `db`, on release 1.0.0 with the lab's workload, n3 leading.
 */
import { JoinTokenCreated } from "../../../protocol/access.ts";
import { parse } from "../../../protocol/parse.ts";
import type { Lab, NodeName } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";
import type { Image } from "../lab/node-disk.ts";
import { until } from "../lab/until.ts";
import { certificates } from "./certificates.ts";
import { packages } from "./packages.ts";
import { BATON_ENV, publish } from "./releases.ts";
import { AGENT_TOML, COORDINATOR_TOML, DROP_INS } from "./settings.ts";

export const AGENTS = ["n1", "n2", "n3"] as const;
export type AgentName = (typeof AGENTS)[number];
export const GROUP = "db";
export const FIRST_RELEASE = "1.0.0";
export const LEADER: AgentName = "n3";

export type FleetImage = {
  readonly disks: Readonly<Record<"c1" | AgentName, Image>>;
  readonly adminToken: string;
};

/** A node with the agent's package as `apt install` leaves it, and the lab's settings: the seed runs, nothing is joined. */
export const agentImage = (lab: Lab): Promise<Image> =>
  lab.once("agent image", async () => {
    const [{ agent }, { ca }] = await Promise.all([packages(lab), certificates(lab)]);
    const node = await lab.node("n1");
    for (const [place, text] of Object.entries(DROP_INS)) node.write(`/etc/systemd/system/${place}`, text);
    node.write("/etc/baton/ca.crt", ca);
    await node.install([agent]);
    node.write("/etc/baton/agent.toml", AGENT_TOML);
    return await lab.freeze(node, "agent");
  });

export const fleetImage = (lab: Lab): Promise<FleetImage> => lab.once("fleet image", () => makeFleet(lab));

async function makeFleet(lab: Lab): Promise<FleetImage> {
  const [c1, image] = await Promise.all([setUpCoordinator(lab), agentImage(lab)]);
  const adminToken = c1.read("/root/admin.token").trim();
  // Until it is whole, every node stands for itself: all three move to the first release at once.
  await baton(c1, ["groups", "create", GROUP, "--mode", "independent"]);
  const asked = [
    "tokens",
    "join",
    "--group",
    GROUP,
    "--auto-approve",
    "--uses",
    String(AGENTS.length),
    "--json",
  ];
  const token = parse(JoinTokenCreated, JSON.parse(await baton(c1, asked)), "the join token");
  if (!token.ok) throw new Error(token.error.message);
  const [nodes] = await Promise.all([
    lab.boot(AGENTS, { image }),
    publish(lab, c1, { variant: "good", version: FIRST_RELEASE }),
  ]);
  await Promise.all(nodes.map((node) => joinNode(node, token.value)));
  await until(
    async () => (await baton(c1, ["nodes", "--json"])).split('"presence":"online"').length > AGENTS.length,
    {
      what: "sessions of all nodes",
    },
  );
  await baton(c1, [
    "rollout",
    "start",
    "--group",
    GROUP,
    "--release",
    FIRST_RELEASE,
    "--yes",
    "--watch",
    "--timeout",
    "60",
  ]);
  await baton(c1, ["groups", "edit", GROUP, "--mode", "quorum"]);
  await lead(nodes[2]);
  // The coordinator first, or it would note that the nodes went away.
  const c1Disk = await lab.freeze(c1, "c1");
  const [n1, n2, n3] = await Promise.all([
    lab.freeze(nodes[0], "n1"),
    lab.freeze(nodes[1], "n2"),
    lab.freeze(nodes[2], "n3"),
  ]);
  return { disks: { c1: c1Disk, n1, n2, n3 }, adminToken };
}

async function setUpCoordinator(lab: Lab): Promise<Node> {
  const [c1, { coordinator }, { ca, cert, key }] = await Promise.all([
    lab.node("c1" satisfies NodeName),
    packages(lab),
    certificates(lab),
  ]);
  await c1.install([coordinator]);
  c1.write("/etc/baton/coordinator.toml", COORDINATOR_TOML);
  c1.write("/etc/baton/ca.crt", ca);
  c1.write("/etc/baton/tls.crt", cert);
  c1.write("/etc/baton/tls.key", key, 0o640);
  c1.write("/root/passphrase", "a passphrase of the lab\n", 0o600);
  await c1.sh(
    `
    chgrp baton-coordinator /etc/baton/tls.key
    coordinator init
    cat /var/lib/baton-coordinator/admin.token > /root/admin.token
    baton keys init
    baton keys sign /var/lib/baton-coordinator/key-request.json
    systemctl enable --now baton-coordinator
    coordinator trust /root/baton-keys/1.root.json
  `,
    { env: BATON_ENV },
  );
  await until(async () => (await c1.exec(["baton", "nodes"], { env: BATON_ENV })).code === 0, {
    what: "coordinator on c1",
  });
  return c1;
}

export async function joinNode(
  node: Node,
  token: { readonly secret: string; readonly rootFingerprint: string | null },
) {
  const join = ["agent", "join", "https://c1:8420", "--root-fingerprint", token.rootFingerprint ?? ""];
  await node.must(join, { env: { BATON_JOIN_TOKEN: token.secret } });
}

const baton = (c1: Node, args: readonly string[]): Promise<string> =>
  c1.must(["baton", ...args], { env: BATON_ENV, timeoutMs: 90_000 });

/** Makes a node the leader, as soon as its workload answers. */
export async function lead(node: Node): Promise<void> {
  const ask = () =>
    fetch(`http://${node.address}:8080/lead`, { method: "POST", body: '{"term":1}' }).catch(() => undefined);
  const answer = await until(ask, { what: `answer of the workload on ${node.name}` });
  if (!answer.ok) throw new Error(`${node.name} does not take leadership: ${await answer.text()}`);
}
