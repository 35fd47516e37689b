import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Lab } from "../lab/lab.ts";
import { ADDRESSES, LAB_ADDRESS } from "../lab/lab.ts";
import type { Node } from "../lab/node.ts";
import { complaintsAbout, exposureOf } from "../lab/unit-check.ts";
import { until } from "../lab/until.ts";
import { type Say, scenario } from "../runner.ts";

/** What the lab itself must be able to do, shown without the product. */
export const selfCheck = [
  scenario("lab: three nodes boot, restart, crash and come back", threeNodes),
  scenario("lab: a partition cuts one node off and heals", partition),
  scenario("lab: a paused process is seen by the watchdog, not by the port", pausing),
  scenario("lab: an image carries packages and state to new nodes", images),
  scenario("lab: the sampler sees each outage and never more", sampling),
  scenario("lab: a node is killed right before and right after a rename", crashAtRename),
  scenario("lab: a unit's sandbox is judged, and its mistakes are found", unitChecks),
  scenario("lab: a small disk fills up and is still there after a crash", smallDisk),
];

/** A unit like the agent's: it notifies, and exit status 75 is its wish to be started again. */
const UNIT = `
[Unit]
Description=Ticker
StartLimitIntervalSec=0
[Service]
Type=notify
NotifyAccess=all
ExecStart=/usr/local/bin/ticker
Restart=always
RestartSec=0
SuccessExitStatus=75
WatchdogSec=2
[Install]
WantedBy=multi-user.target
`;

const TICKER = `#!/usr/bin/python3
import http.server, os, signal, subprocess, threading, time
def note(*words): subprocess.run(["systemd-notify", *words], check=True)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'{"healthy":true,"version":"1.0.0"}')
    def log_message(self, *rest): pass
server = http.server.ThreadingHTTPServer(("", 8080), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
starts = "/var/lib/baton-agent/starts"
with open(starts, "a") as file: file.write("start\\n")
print("ticker is up", flush=True)
note("--ready")
signal.signal(signal.SIGUSR1, lambda *rest: os._exit(75))
while True:
    note("WATCHDOG=1")
    time.sleep(0.5)
`;

async function tickers(lab: Lab): Promise<readonly [Node, Node, Node]> {
  const nodes = await lab.boot(["n1", "n2", "n3"]);
  await Promise.all(nodes.map((node) => startTicker(node)));
  return nodes;
}

async function startTicker(node: Node): Promise<void> {
  node.write("/usr/local/bin/ticker", TICKER, 0o755);
  node.write("/etc/systemd/system/ticker.service", UNIT);
  await node.systemctl("daemon-reload");
  await node.systemctl("enable", "--now", "ticker.service");
}

async function threeNodes(lab: Lab, say: Say): Promise<void> {
  const begun = performance.now();
  const nodes = await tickers(lab);
  say(`three nodes up with their unit after ${ms(performance.now() - begun)}`);
  for (const node of nodes) assert.equal((await node.unit("ticker")).active, "active");

  const [n1, n2] = nodes;
  const before = await n1.unit("ticker");
  const restarted = performance.now();
  await n1.systemctl("kill", "--signal=SIGUSR1", "ticker");
  const after = await n1.untilUnit(
    "ticker",
    "started again",
    (unit) => unit.active === "active" && unit.invocation !== before.invocation,
  );
  say(`exit 75 and up again after ${ms(performance.now() - restarted)}`);
  assert.equal(after.restarts, 1);
  assert.equal(n1.read("/var/lib/baton-agent/starts").trim().split("\n").length, 2);
  assert.equal(
    (await n1.journal({ unit: "ticker" })).filter((one) => one.message === "ticker is up").length,
    2,
  );

  const bootId = await n2.sh("cat /proc/sys/kernel/random/boot_id");
  await n2.kill();
  assert.equal(n2.running, false);
  assert.ok(
    (await n2.journalText({ unit: "ticker" })).includes("ticker is up"),
    "a dead node's journal is readable",
  );
  say(`rebooted after a crash in ${ms(await n2.boot())}`);
  await n2.untilUnit("ticker", "active after the crash", (unit) => unit.active === "active");
  assert.notEqual(await n2.sh("cat /proc/sys/kernel/random/boot_id"), bootId, "a new boot has a new id");
  assert.equal(
    n2.read("/var/lib/baton-agent/starts").trim().split("\n").length,
    2,
    "state survives the crash",
  );
  assert.equal((await n1.unit("ticker")).invocation, after.invocation, "the others are not touched");
  const off = performance.now();
  await n1.poweroff();
  say(`powered off in ${ms(performance.now() - off)}`);
}

async function partition(lab: Lab, say: Say): Promise<void> {
  const [n1] = await tickers(lab);
  const ask = (address: string) => n1.exec(["curl", "-sf", "--max-time", "1", `http://${address}:8080/`]);
  assert.equal((await ask("n2")).code, 0);
  await n1.partition();
  assert.notEqual((await ask("n2")).code, 0);
  assert.equal((await ask("127.0.0.1")).code, 0);
  await n1.heal();
  const healed = performance.now();
  await until(async () => (await ask("n2")).code === 0, { what: "way to n2 after the partition" });
  say(`reached again ${ms(performance.now() - healed)} after it healed`);
}

async function pausing(lab: Lab): Promise<void> {
  const n1 = await lab.node("n1");
  await startTicker(n1);
  await n1.pause("ticker");
  const state = await n1.untilUnit(
    "ticker",
    "restarted by the watchdog",
    (unit) => unit.restarts === 1,
    10_000,
  );
  assert.ok(state.restarts === 1);
  await n1.untilJournal(/Watchdog timeout/, { unit: "ticker" });
}

async function images(lab: Lab, say: Say): Promise<void> {
  const first = await lab.node("n1");
  await startTicker(first);
  await first.sh(
    "mkdir /tmp/p /tmp/p/DEBIAN; cd /tmp/p; printf 'Package: lab-probe\\nVersion: 1\\nArchitecture: all\\nMaintainer: lab <lab@localhost>\\nDescription: probe\\n' > DEBIAN/control; mkdir -p usr/share/lab-probe; echo here > usr/share/lab-probe/file; dpkg-deb -b . /probe.deb",
  );
  await first.install([first.outside("/probe.deb")]);
  const image = await lab.freeze(first, "probe");
  const begun = performance.now();
  const [n1, n2] = await lab.boot(["n1", "n2"], { image });
  say(`two nodes from an image up after ${ms(performance.now() - begun)}`);
  for (const node of [n1, n2]) {
    await node.untilUnit("ticker", "started at boot", (unit) => unit.active === "active");
    assert.equal(node.read("/usr/share/lab-probe/file"), "here\n");
    assert.match(await node.sh("dpkg-query -W lab-probe"), /lab-probe\s1/);
    assert.equal(node.read("/var/lib/baton-agent/starts").trim().split("\n").length, 2);
  }
  assert.notEqual(n1.read("/etc/machine-id"), n2.read("/etc/machine-id"));
  await n1.sh("dpkg --purge lab-probe");
  assert.equal(n2.exists("/usr/share/lab-probe/file"), true, "nodes of one image are apart");
}

async function sampling(lab: Lab): Promise<void> {
  const nodes = await tickers(lab);
  const port = (name: "n1" | "n2" | "n3") => `http://${ADDRESSES[name]}:8080/`;
  const sampler = lab.sample({ targets: { n1: port("n1"), n2: port("n2"), n3: port("n3") } });
  for (const node of nodes) {
    const before = await node.unit("ticker");
    await node.systemctl("restart", "ticker");
    await node.untilUnit(
      "ticker",
      "restarted",
      (now) => now.active === "active" && now.invocation !== before.invocation,
    );
  }
  assert.equal(sampler.mostDown().count, 1, JSON.stringify(sampler.mostDown()));
  await Promise.all(nodes.slice(0, 2).map((node) => node.systemctl("stop", "ticker")));
  await until(() => sampler.mostDown().count === 2, { what: "two nodes down at once" });
  await sampler.stop();
  assert.deepEqual([...new Set(sampler.outages().map((outage) => outage.node))].toSorted(), [
    "n1",
    "n2",
    "n3",
  ]);
  assert.deepEqual(
    sampler.versions("n3").map((one) => one.version),
    ["1.0.0"],
  );
}

const RENAMER = `#!/usr/bin/python3
import os, signal, subprocess
os.chdir("/var/lib/baton-agent")
def flip(*rest):
    os.symlink("new", "dist.tmp")
    os.rename("dist.tmp", "dist")
signal.signal(signal.SIGUSR1, flip)
subprocess.run(["systemd-notify", "--ready"], check=True)
while True: signal.pause()
`;

async function crashAtRename(lab: Lab, say: Say): Promise<void> {
  const n1 = await lab.node("n1");
  n1.write("/usr/local/bin/ticker", RENAMER, 0o755);
  n1.write("/etc/systemd/system/ticker.service", UNIT.replace("WatchdogSec=2", ""));
  await n1.sh("ln -s old /var/lib/baton-agent/dist");
  await n1.systemctl("enable", "--now", "ticker.service");
  const flip = async (side: "before" | "after") => {
    const stop = await n1.stopAtRenames("ticker");
    await n1.systemctl("kill", "--signal=SIGUSR1", "ticker");
    say(await stop.at(side, /dist$/));
    await n1.kill();
    await stop.detach();
    await n1.boot();
    await n1.untilUnit("ticker", "active after the crash", (unit) => unit.active === "active");
    return (await n1.sh("readlink /var/lib/baton-agent/dist; rm -f /var/lib/baton-agent/dist.tmp")).trim();
  };
  assert.equal(await flip("before"), "old");
  assert.equal(await flip("after"), "new");
}

async function unitChecks(lab: Lab): Promise<void> {
  const n1 = await lab.node("n1");
  await startTicker(n1);
  assert.ok((await exposureOf(n1, "ticker")) > 9);
  assert.equal(await complaintsAbout(n1, ["ticker.service"]), "");
  n1.write("/etc/systemd/system/wrong.service", "[Service]\nExecStart=/nowhere\nStartLimitIntervalSec=0\n");
  assert.match(await complaintsAbout(n1, ["wrong.service"]), /Unknown key.*StartLimitIntervalSec/);
}

async function smallDisk(lab: Lab): Promise<void> {
  const server = createServer((_request, response) => response.end("from the lab\n")).listen(0, LAB_ADDRESS);
  lab.defer(async () => void server.close());
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const proxy = await lab.proxy({ host: LAB_ADDRESS, port: address.port });

  const n1 = await lab.node("n1", { state: { megabytes: 16 } });
  const filled = await n1.exec(["dd", "if=/dev/zero", "of=/var/lib/baton-agent/full", "bs=1M"]);
  assert.match(filled.stderr, /No space left on device/);
  await n1.kill();
  await n1.boot();
  const more = await n1.exec(["dd", "if=/dev/zero", "of=/var/lib/baton-agent/more", "bs=1M", "count=1"]);
  assert.match(more.stderr, /No space left on device/);
  assert.equal(await n1.sh(`curl -s http://${LAB_ADDRESS}:${proxy.address.port}/file`), "from the lab\n");
  assert.deepEqual(
    proxy.requests.map((one) => [one.path, one.status, one.from]),
    [["/file", 200, n1.address]],
  );
}

const ms = (duration: number): string => `${Math.round(duration)} ms`;
