import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { World } from "../../agent/cli/world.ts";
import { runIn } from "../../agent/cli.ts";
import { type ControlServer, startControlServer } from "../../agent/control/server.ts";
import { silentLog } from "../../agent/effects/log.ts";
import type { Running } from "../../agent/running.ts";
import { err } from "../../protocol/result.ts";
import { JOB, pretendedAgent } from "./control/pretended-agent.ts";

const running: Running = {
  build: { version: "1.2.3", buildHash: "c".repeat(64) },
  dist: "/d",
  versionJson: null,
  platform: "linux-x64",
};

let dir = "";
let config = "";
let socket = "";
let node: ReturnType<typeof pretendedAgent>;
let server: ControlServer | null = null;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-cli-"));
  socket = join(dir, "control.sock");
  config = join(dir, "agent.toml");
  await writeFile(config, `state_dir = "${dir}/home"\ncontrol_socket = "${socket}"\n`);
  node = pretendedAgent();
  await start();
});
afterEach(async () => {
  await server?.close();
  await rm(dir, { recursive: true });
});

async function start() {
  const started = await startControlServer(socket, node.port, silentLog);
  if (!started.ok) throw new Error(started.error.message);
  server = started.value;
}

/** `agent …`, as somebody would type it. */
async function agent(args: readonly string[], more: Partial<World> = {}) {
  let out = "";
  let errors = "";
  const world: World = {
    env: { BATON_CONFIG: config },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      errors += text;
    },
    stdin: async () => "",
    now: () => node.state.status.startedAt + 90_000,
    interrupted: new AbortController().signal,
    hostname: "one",
    ...more,
  };
  const code = await runIn(world, args, running);
  return { code, out, errors };
}

const ends = (result: "succeeded" | "rolled-back", message?: string) => {
  const reason = message === undefined ? null : { code: "unhealthy", message };
  node.state.status = { ...node.state.status, job: { jobId: JOB, end: { result, reason } } };
  node.state.changed();
};

describe("agent status", () => {
  it("says for people what runs and what is out of order", async () => {
    const bad = { version: "1.1.0", buildHash: "b".repeat(64) };
    const reason = { code: "unhealthy", message: "It was not healthy." };
    node.state.status = {
      ...node.state.status,
      hold: true,
      quarantine: [{ build: bad, reason, at: 1, provisional: false, by: "agent" }],
      health: { healthy: true, role: "leader" },
    };
    const said = await agent(["status"]);
    expect(said.code).toBe(0);
    expect(said.out.replace(/ for \d+ d$/m, "")).toBe(
      [
        "node       one (n-0123456789ab), group etcd",
        "runs       1.0.0 (aaaaaaaa), for 90 s",
        "backup     none",
        "health     healthy, leader",
        "session    with https://c.example by websocket",
        "update     nothing to do",
        "hold       stays on this build until: agent update-now --retry",
        "quarantine 1.1.0 (bbbbbbbb): It was not healthy.",
        "poll       */5 * * * *",
        "",
      ].join("\n"),
    );
  });

  it("gives programs all of it", async () => {
    const { out } = await agent(["status", "--json"]);
    expect(JSON.parse(out)).toEqual(node.state.status);
  });

  it("exits with 1 and says what to do when no agent runs", async () => {
    await server?.close();
    const { code, out, errors } = await agent(["status"]);
    expect([code, out]).toEqual([1, ""]);
    expect(errors).toContain("systemctl start baton-agent");
  });
});

describe("agent doctor", () => {
  const env = { BATON_CONFIG: "", PATH: process.env.PATH };

  it("asks the agent that runs, says what is wrong and what to do, and exits with 1", async () => {
    const { code, out, errors } = await agent(["doctor"], { env: { ...env, BATON_CONFIG: config } });
    expect([code, errors]).toEqual([1, ""]);
    expect(out).toMatch(/^ok {6}settings {5}.*agent\.toml can be read\.$/m);
    expect(out).toMatch(/^ok {6}agent {8}1\.0\.0 \(aaaaaaaa\) runs for /m);
    expect(out).toMatch(/^PROBLEM disk {9}.*is not there\. \(state-missing\)\n {21}Reinstall the package/m);
    expect(out).toMatch(/^\d problems?(, \d warnings?)?\.$/m);
  });

  it("gives programs every finding, and works without an agent and with settings that are wrong", async () => {
    await server?.close();
    await writeFile(config, 'stat_dir = "/x"\n');
    const { code, out } = await agent(["doctor", "--json"], { env: { ...env, BATON_CONFIG: config } });
    const said = JSON.parse(out) as { ok: boolean; findings: { code: string }[] };
    expect([code, said.ok]).toEqual([1, false]);
    expect(said.findings.map((each) => each.code)).toEqual(
      expect.arrayContaining(["settings-wrong", "agent-not-running"]),
    );
  });
});

describe("agent config", () => {
  it("prints no password of a proxy", async () => {
    await writeFile(config, 'proxy = "http://ada:s3cret@proxy.example:3128"\n');
    for (const more of [[], ["--json"]]) {
      const { code, out } = await agent(["config", ...more]);
      expect(code).toBe(0);
      expect(out).toContain("http://proxy.example:3128");
      expect(out).not.toContain("s3cret");
    }
  });

  it("refuses a proxy that is none", async () => {
    await writeFile(config, 'proxy = "socks5://proxy.example"\n');
    expect(await agent(["config"])).toMatchObject({
      code: 2,
      errors: expect.stringContaining("agent.toml:1: proxy"),
    });
  });
});

describe("agent update-now", () => {
  it("shows the log until the update is confirmed", async () => {
    node.state.lines.push({ index: 0, at: 1, source: "agent", step: "fetch", text: "Fetched 1 byte." });
    const updating = agent(["update-now", "--retry"]);
    await expect.poll(() => node.listeners.size).toBe(1);
    ends("succeeded");
    const { code, out, errors } = await updating;
    expect([code, out]).toEqual([0, `Job ${JOB} succeeded.\n`]);
    expect(errors).toMatch(/fetch {5}Fetched 1 byte\./);
    expect(node.state.asked).toEqual([{ retry: true }]);
  });

  it("goes on through the agent's restart, and exits with 3 when the node went back", async () => {
    node.state.lines.push({ index: 0, at: 1, source: "agent", step: "swap", text: "before" });
    const updating = agent(["update-now"]);
    await expect.poll(() => node.listeners.size).toBe(1);
    await server?.close();
    node.state.lines.push({ index: 1, at: 1, source: "agent", step: "rollback", text: "after" });
    ends("rolled-back", "1.1.0 was not healthy.");
    await start();
    const { code, errors } = await updating;
    expect(code).toBe(3);
    expect(errors.match(/before|after/g)).toEqual(["before", "after"]);
    expect(errors).toContain("ended as rolled-back: 1.1.0 was not healthy.");
  });

  it("exits with 4 when it takes too long; the job goes on", async () => {
    const { code, errors } = await agent(["update-now", "--timeout", "1"]);
    expect(code).toBe(4);
    expect(errors).toContain(`agent logs --follow ${JOB}`);
  });

  it("exits with 5 when it is in conflict with what is going on", async () => {
    node.port.update = async () =>
      err({ code: "update-in-progress", message: "Job j-1 is under way.", hint: "Wait." });
    const { code, errors } = await agent(["update-now", "--json"]);
    expect(code).toBe(5);
    expect(JSON.parse(errors)).toMatchObject({ code: "update-in-progress" });
  });

  it("does not wait when told so", async () => {
    const { code, out } = await agent(["update-now", "--no-wait", "--json"]);
    expect([code, JSON.parse(out)]).toEqual([0, { jobId: JOB }]);
  });

  it("gives programs every event as a line", async () => {
    ends("succeeded");
    const { code, out } = await agent(["update-now", "--json"]);
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([{ type: "end", jobId: JOB, end: { result: "succeeded", reason: null } }]);
  });
});

describe("agent rollback", () => {
  it("gives the agent's refusal", async () => {
    const { code, errors } = await agent(["rollback"]);
    expect(code).toBe(5);
    expect(errors).toContain("There is no dist.bak.");
  });
});

describe("agent logs", () => {
  it("shows the last job's log", async () => {
    node.state.lines.push({ index: 0, at: 0, source: "hook", step: "drain", text: "bye" });
    const { code, out } = await agent(["logs"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^\d\d:\d\d:\d\d drain {5}bye\n$/);
  });
});

describe("agent install", () => {
  it("hands a kit to the agent that runs", async () => {
    await writeFile(join(dir, "kit.tar"), "kit");
    const { code, out } = await agent(["install", join(dir, "kit.tar")]);
    expect([code, out]).toEqual([0, "1.0.0 (bbbbbbbb) is prepared. 3 bytes\n"]);
  });
  it("names a file that is not there", async () => {
    const { code, errors } = await agent(["install", join(dir, "none.tar")]);
    expect(code).toBe(1);
    expect(errors).toContain("none.tar");
  });
});

describe("agent join", () => {
  it("wants a token, and never from the command line", async () => {
    const args = ["join", "https://127.0.0.1:1", "--root-fingerprint", "a".repeat(64)];
    const without = await agent(args);
    expect(without.code).toBe(2);
    expect(without.errors).toContain("BATON_JOIN_TOKEN");
    expect((await agent([...args, "--token", "secret"])).code).toBe(2);
    const stdin = async () => "from-stdin\n";
    const unreachable = await agent([...args, "--token-file", "-"], { stdin });
    expect(unreachable).toMatchObject({ code: 1, errors: expect.stringContaining("127.0.0.1:1") });
  });
});

describe("usage", () => {
  it.each([[[]], [["dance"]], [["status", "--loud"]], [["update-now", "--timeout", "soon"]]])(
    "exits with 2 for agent %j",
    async (args: string[]) => {
      const { code, out, errors } = await agent(args);
      expect([code, out]).toEqual([2, ""]);
      expect(errors).toContain("--help");
    },
  );

  it("exits with 2 when the settings are wrong, and says file, line and key", async () => {
    await writeFile(config, "\nstate_dri = 1");
    const { code, errors } = await agent(["status"]);
    expect(code).toBe(2);
    expect(errors).toContain(`${config}:2: state_dri: there is no such setting. Did you mean state_dir?`);
  });

  it("prints its version, and the settings that the package ships", async () => {
    expect(await agent(["--version"])).toEqual({ code: 0, out: "1.2.3 (cccccccc)\n", errors: "" });
    expect((await agent(["config", "--print-default"])).out).toContain('#state_dir = "/var/lib/baton-agent"');
    const { out } = await agent(["config", "--json"]);
    expect(JSON.parse(out)).toMatchObject({ file: config, controlSocket: socket });
  });
});
