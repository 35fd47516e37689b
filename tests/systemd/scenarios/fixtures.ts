import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBundle } from "../fixtures/make-bundle.ts";
import { VARIANTS, type VariantName } from "../fixtures/variants.ts";
import { must, run } from "../lab/command.ts";
import type { Lab } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";
import { until } from "../lab/until.ts";
import { scenario } from "../runner.ts";

/** That the builds which the scenarios publish are as good and as bad as they claim to be. */
export const fixtures = [
  scenario(
    "fixtures: every variant makes a bundle of its own, and shows itself only after the self-test",
    variants,
  ),
  scenario("fixtures: the workload hands leadership over to a peer and keeps it over a crash", leadership),
];

/** Stands in for the agent: passes its self-test, and says so when it is run. */
const STAND_IN = `if (process.argv.includes("--self-test")) process.exit(0);
console.log("the agent runs"); setInterval(() => undefined, 1000);\n`;

async function variants(lab: Lab): Promise<void> {
  const dir = join(lab.site.directory, lab.name);
  const agentDir = join(dir, "agent");
  mkdirSync(agentDir, { recursive: true });
  writeFileSync(join(agentDir, "agent.mjs"), STAND_IN);
  const hashes = new Map<string, string>();
  for (const variant of Object.keys(VARIANTS) as VariantName[]) {
    const out = join(dir, `${variant}.tar.zst`);
    const request = { variant, version: "1.1.0", agentDir, agentEntry: "agent.mjs", out } as const;
    const packed = await makeBundle(request);
    const twin = hashes.get(packed.build.buildHash);
    // The platform is said beside the build, not within it.
    if (variant !== "wrong-platform")
      assert.equal(twin, undefined, `${variant} is the same build as ${twin}`);
    hashes.set(packed.build.buildHash, variant);
    const at = join(dir, variant);
    mkdirSync(at);
    await must("tar", ["--zstd", "--extract", "--file", out, "--directory", at]);
    const tree = (await must("find", [at, "-name", "version.json"])).trim().slice(0, -"/version.json".length);
    const tested = await run(process.execPath, [join(tree, packed.versionJson.entry), "--self-test"]);
    assert.equal(tested.code === 0, variant !== "crash-at-import", `${variant}: ${tested.stderr}`);
    rmSync(out);
  }
}

/** Where a node has its runtime: wherever this checkout lies, `/tmp` included, a node may see something else there. */
const NODE = "/srv/node";

const WORKLOAD_UNIT = `
[Service]
ExecStart=${NODE} workload.mjs
WorkingDirectory=/srv/dist
Environment=BATON_STATE_DIR=/var/lib/baton-agent
Restart=always
[Install]
WantedBy=multi-user.target
`;

async function leadership(lab: Lab): Promise<void> {
  const nodes = await lab.boot(["n1", "n2", "n3"]);
  const [n1, n2] = nodes;
  await Promise.all(nodes.map((node) => startWorkload(node)));
  await post(n1, "/lead", { term: 1 });
  assert.deepEqual(await roles(nodes), ["leader", "follower", "follower"]);

  const peers = JSON.stringify([{ name: "nowhere" }, { name: "n2" }]);
  const handover = [NODE, "/srv/dist/hook.mjs", "handover"];
  const done = await n1.must(handover, { env: { BATON_PEERS: peers } });
  assert.match(done, /nowhere: .*\n.*handed over to n2/s, "a peer that is away is passed over");
  assert.deepEqual(await roles(nodes), ["follower", "leader", "follower"]);
  assert.equal(
    (await n1.exec(handover, { env: { BATON_PEERS: peers } })).code,
    0,
    "a follower has nothing to do",
  );
  assert.notEqual(
    (await n2.exec(handover, { env: { BATON_PEERS: "[]" } })).code,
    0,
    "a leader without peers cannot",
  );

  await n2.kill();
  await n2.boot();
  await until(() => status(n2), { what: "workload on n2 after the crash" });
  assert.deepEqual(await roles(nodes), ["follower", "leader", "follower"]);
  await n2.must([NODE, "/srv/dist/hook.mjs", "drain"]);
  assert.equal((await fetch(`http://${n2.address}:8080/status`)).status, 503);
  await n2.must([NODE, "/srv/dist/hook.mjs", "resume"]);
  assert.equal((await fetch(`http://${n2.address}:8080/status`)).status, 200);
}

async function startWorkload(node: Node): Promise<void> {
  await must("cp", [process.execPath, node.outside(NODE)]);
  await must("cp", [
    "--recursive",
    join(import.meta.dirname, "../fixtures/workload"),
    node.outside("/srv/dist"),
  ]);
  node.write("/etc/systemd/system/workload.service", WORKLOAD_UNIT);
  await node.systemctl("daemon-reload");
  await node.systemctl("enable", "--now", "workload");
  await until(() => status(node), { what: `workload on ${node.name}` });
}

async function status(node: Node): Promise<{ readonly role: string }> {
  return (await (await fetch(`http://${node.address}:8080/status`)).json()) as { role: string };
}

const roles = async (nodes: readonly Node[]): Promise<readonly string[]> =>
  (await Promise.all(nodes.map(status))).map((one) => one.role);

async function post(node: Node, path: string, body: object): Promise<void> {
  await fetch(`http://${node.address}:8080${path}`, { method: "POST", body: JSON.stringify(body) });
}
