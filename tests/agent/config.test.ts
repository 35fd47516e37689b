import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultConfigText, parseConfig, readConfig } from "../../agent/config.ts";

const FILE = "agent.toml";

describe("agent.toml", () => {
  it("is all defaults when it is empty, and the shipped file says the same", async () => {
    const empty = await parseConfig("", FILE);
    expect(empty).toMatchObject({
      ok: true,
      value: {
        servers: [],
        mirrors: [],
        stateDir: "/var/lib/baton-agent",
        session: { mode: "auto", reconnectMinMs: 500 },
        poll: { enabled: true, schedule: "*/5 * * * *", jitterMs: 30_000 },
        probation: { tries: 3, uptimeMs: 90_000 },
      },
    });
    expect(await parseConfig(defaultConfigText(), FILE)).toEqual(empty);
  });

  it("shows every default so that it can be uncommented as it stands", async () => {
    const uncommented = defaultConfigText().replace(/^#([a-z_]+ = )/gm, "$1");
    const read = await parseConfig(uncommented, FILE);
    expect(read).toMatchObject({ ok: true, value: { caFile: "/etc/baton/ca.pem", logLevel: "info" } });
  });

  it("takes one server or several, without trailing slashes", async () => {
    const one = await parseConfig('server = "https://c.example/"', FILE);
    expect(one).toMatchObject({ ok: true, value: { servers: ["https://c.example"] } });
    const mirror = await parseConfig('mirrors = "http://m.example/baton/"', FILE);
    expect(mirror).toMatchObject({ ok: true, value: { servers: [], mirrors: ["http://m.example/baton"] } });
    const two = await parseConfig('server = ["https://a.example", "https://b.example:8443/x/"]', FILE);
    expect(two).toMatchObject({
      ok: true,
      value: { servers: ["https://a.example", "https://b.example:8443/x"] },
    });
  });

  it.each([
    ["no TOML", "state_dir = \n", "agent.toml:1: this is not TOML"],
    ["an unknown key", '\nserver_url = "https://c"', "agent.toml:2: server_url: there is no such setting"],
    [
      "a misspelt key",
      '[poll]\nshedule = "* * * * *"',
      "agent.toml:2: poll.shedule: there is no such setting. Did you mean poll.schedule?",
    ],
    [
      "a key in the wrong table",
      "tries = 3",
      "agent.toml:1: tries: there is no such setting here. Did you mean probation.tries?",
    ],
    [
      "a wrong type",
      "[probation]\ntries = true",
      "agent.toml:2: probation.tries: is true; it must be a whole number from 1 to 20.",
    ],
    [
      "a value out of range",
      "[health]\n\nevery_ms = 0",
      "agent.toml:3: health.every_ms: is 0; it must be a whole number from 1",
    ],
    ["an unknown word", '[session]\nmode = "udp"', 'it must be "auto" or "websocket" or "http"'],
    [
      "a relative path",
      'state_dir = "state"',
      'agent.toml:1: state_dir: is "state"; it must be an absolute path.',
    ],
    [
      "a schedule that is none",
      '[poll]\nschedule = "often"',
      'agent.toml:2: poll.schedule: is "often"; it must be a cron expression',
    ],
    [
      "limits in the wrong order",
      "[session]\nreconnect_max_ms = 5",
      "agent.toml: session.reconnect_min_ms: is 500; it must be at most session.reconnect_max_ms, which is 5.",
    ],
    [
      "plain HTTP elsewhere",
      'server = "http://c.example"',
      "agent.toml:1: server: http://c.example is plain HTTP to another machine",
    ],
    [
      "an address that is none",
      'server = ["https://a.example", "b"]',
      "agent.toml:1: server: b is not the address of a coordinator",
    ],
  ])("%s is an error with file, line, key and what would be right", async (_what, text, message) => {
    const read = await parseConfig(text, FILE);
    expect(read).toMatchObject({
      ok: false,
      error: { code: "settings", message: expect.stringContaining(message) },
    });
  });

  it("tells all that is wrong at once", async () => {
    const read = await parseConfig("a = 1\nb = 2", FILE);
    expect(read.ok ? [] : read.error.problems.map(({ line }) => line)).toEqual([1, 2]);
  });
});

describe("what the launcher says", () => {
  const env = { BATON_STATE_DIR: "/srv/agent", BATON_RUN_DIR: "/run/agent" };
  it("counts where the file says nothing", async () => {
    expect(await parseConfig("", FILE, env)).toMatchObject({
      ok: true,
      value: { stateDir: "/srv/agent", controlSocket: "/run/agent/control.sock" },
    });
    const own = 'state_dir = "/srv/agent"\ncontrol_socket = "/tmp/c.sock"';
    expect(await parseConfig(own, FILE, env)).toMatchObject({
      ok: true,
      value: { controlSocket: "/tmp/c.sock" },
    });
  });
  it("may not differ from the file: the guard would look elsewhere", async () => {
    expect(await parseConfig('\nstate_dir = "/srv/other"', FILE, env)).toMatchObject({
      ok: false,
      error: {
        message: expect.stringContaining("agent.toml:2: state_dir: is /srv/other; it must be /srv/agent"),
      },
    });
  });
});

describe("which file is read", () => {
  it("is the one named, else BATON_CONFIG; a named one must be there", async () => {
    const dir = await mkdtemp(join(tmpdir(), "baton-config-"));
    try {
      const file = join(dir, "a.toml");
      await writeFile(file, 'log_level = "warn"');
      const env = { BATON_CONFIG: file };
      expect(await readConfig(undefined, env)).toMatchObject({ ok: true, value: { file, logLevel: "warn" } });
      expect(await readConfig(join(dir, "b.toml"), env)).toMatchObject({
        ok: false,
        error: { message: expect.stringMatching(/b\.toml: cannot be read: ENOENT/) },
      });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
