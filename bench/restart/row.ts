import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { DemoNode } from "../../examples/demo/fleet.ts";
import { alternate } from "../alternate.ts";
import type { Row } from "../row.ts";
import { spreadOf } from "../spread.ts";
import { finished, helloAfter, type Stage, setStage } from "../stage.ts";

const TURNS = 11;

/**
 * How long a node is away for an update: from the end of the old process (exit 75) to the hello of the new one at a
 * real coordinator, through guard and launcher, under the stand-in for systemd, without RestartSec. Beside it, what
 * starting the same build for its `--self-test` takes, to its end.
 */
export const restartRow: Row = {
  names: ["restart"],
  seconds: 45,
  waits: false,
  measure: async (world) => {
    const stage = await setStage(world, ["solo"], {
      coordinator: "[timings]\nheartbeat_ms = 100",
      agent: "[health]\nevery_ms = 100",
      mode: "independent",
    });
    const { fleet, api, publish } = stage;
    const [node] = fleet.nodes;
    const [known] = await fleet.list();
    if (node === undefined || known === undefined) throw new Error("there is no node");
    await publish("1.1.0");
    const { jobId } = await api.call<{ jobId: string }>("POST", `/v1/nodes/${known.id}/update`, {});
    await finished(api, jobId);
    world.say("from now on the node goes back and forth between two builds");
    const { a, b } = await alternate(
      TURNS,
      () => restart(stage, node, known.id),
      () => selfTest(node),
    );
    return [
      {
        name: "restart",
        what: "exit 75 to hello, with guard and launcher, without RestartSec",
        beside: "the same build's `--self-test`, start to end",
        unit: "ms",
        value: spreadOf(a),
        peer: spreadOf(b),
        bound: 2,
        better: "lower",
      },
    ];
  },
};

/** Going back to `dist.bak` takes the same way as any update, and can be asked for again and again. */
async function restart({ fleet, api }: Stage, { service }: DemoNode, nodeId: string): Promise<number> {
  const exited = once(service, "exited", { signal: AbortSignal.timeout(60_000) });
  const { jobId } = await api.call<{ jobId: string }>("POST", `/v1/nodes/${nodeId}/rollback`, {});
  const [atMs] = (await exited) as [number];
  await finished(api, jobId);
  return (await helloAfter(fleet, nodeId, atMs)) - atMs;
}

async function selfTest({ home }: DemoNode): Promise<number> {
  const entry = join(home, "state/dist/agent.mjs");
  const env = {
    ...process.env,
    BATON_CONFIG: join(home, "agent.toml"),
    BATON_STATE_DIR: join(home, "state"),
  };
  const began = performance.now();
  const child = spawn(process.execPath, [entry, "--self-test"], { env, stdio: "ignore" });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`the self-test ended with ${code}`);
  return performance.now() - began;
}
