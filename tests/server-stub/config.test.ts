import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEFAULTS } from "../../protocol/defaults.ts";
import { isLoopback } from "../../server-stub/api/loopback.ts";
import { loadConfig, parseConfig } from "../../server-stub/config.ts";
import { coordinatorTemplate } from "../../server-stub/settings.ts";

describe("the coordinator's configuration", () => {
  test("is all defaults when nothing is said, on loopback", () => {
    const config = parseConfig("", "c.toml");
    expect(config.ok && config.value).toMatchObject({
      stateDir: "/var/lib/baton-coordinator",
      databaseFile: "/var/lib/baton-coordinator/coordinator.db",
      postgres: null,
      listen: { address: "127.0.0.1", port: 8420, insecureHttp: false },
      tls: null,
      timings: { heartbeatMs: DEFAULTS.heartbeatMs, reservationMs: DEFAULTS.reservationMs },
    });
  });

  test("the shipped file means the defaults, commented or not", () => {
    const template = coordinatorTemplate();
    expect(parseConfig(template, "c.toml")).toEqual(parseConfig("", "c.toml"));
    // But for the database in a file, which cannot be beside one at a server.
    const uncommented = parseConfig(template.replace(/^#file = .*/m, "").replace(/^#(?=\S)/gm, ""), "c.toml");
    expect(uncommented).toMatchObject({ ok: true, value: { tls: { certFile: "/etc/baton/tls.crt" } } });
  });

  test("one of several says where it is reached, and what it shares", () => {
    const read = parseConfig(
      'database = "postgres://h/d"\nadvertise = "https://10.0.0.2:8420/"\n[repository]\ndir = "/srv/r"\n[replicas]\nserver_name = "b.example"',
      "c.toml",
      { stateDir: "/s" },
    );
    expect(read).toMatchObject({
      value: {
        advertise: "https://10.0.0.2:8420",
        repositoryDir: "/srv/r",
        keysDir: "/s/keys",
        replicas: { caFile: null, serverName: "b.example" },
      },
    });
  });

  test.each([
    [
      "a shared repository beside a database in a file",
      '[repository]\nkeys_dir = "/srv/keys"',
      "c.toml:2: repository.keys_dir: is for several coordinators",
    ],
    ["an address with a path", 'advertise = "http://h/x"', "c.toml:1: advertise: "],
    [
      "a public address without TLS",
      '[listen]\naddress = "0.0.0.0"',
      'c.toml:2: listen.address: is "0.0.0.0", which others can reach',
    ],
    ["a name that is not localhost", '[listen]\naddress = "db.example"', "c.toml:2: listen.address"],
    [
      "a certificate without its key",
      '[tls]\ncert_file = "/x"',
      "c.toml:2: tls.cert_file: needs tls.key_file beside it.",
    ],
    [
      "a typing slip",
      "[listen]\nprot = 1",
      "c.toml:2: listen.prot: there is no such setting. Did you mean listen.port?",
    ],
    [
      "a wrong type",
      '[timings]\nheartbeat_ms = "5s"',
      'c.toml:2: timings.heartbeat_ms: is "5s"; it must be a whole number from 10 to 86400000.',
    ],
    ["an unknown log level", 'log_level = "loud"', "c.toml:1: log_level"],
  ])("refuses %s", (_, text, message) => {
    const config = parseConfig(text, "c.toml");
    expect(!config.ok && config.error.message).toContain(message);
  });

  test.each([
    ["--insecure-http", '[listen]\naddress = "0.0.0.0"', { insecureHttp: true }],
    ["insecure_http in the file", '[listen]\naddress = "0.0.0.0"\ninsecure_http = true', {}],
    ["TLS", '[listen]\naddress = "0.0.0.0"\n[tls]\ncert_file = "/c"\nkey_file = "/k"', {}],
    ["another loopback address", '[listen]\naddress = "127.8.8.8"', {}],
  ])("serves where others can reach it with %s", (_, text, overrides) => {
    expect(parseConfig(text, "c.toml", overrides)).toMatchObject({ ok: true });
  });

  describe("as a file", () => {
    let dir: string;
    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), "baton-config-"));
    });
    afterAll(() => rm(dir, { recursive: true }));

    test("is read, and what the command line says wins", async () => {
      await writeFile(join(dir, "c.toml"), 'state_dir = "/x"\n[listen]\nport = 1\n');
      const config = await loadConfig(join(dir, "c.toml"), { port: 0, stateDir: "/y" });
      expect(config).toMatchObject({ ok: true, value: { stateDir: "/y", listen: { port: 0 } } });
    });

    test("is missed when it was named", async () => {
      const config = await loadConfig(join(dir, "nothing.toml"));
      expect(!config.ok && config.error.message).toMatch(/nothing\.toml: cannot be read: ENOENT/);
    });
  });
});

test.each([
  ["127.0.0.1", true],
  ["127.255.0.1", true],
  ["::1", true],
  ["[::1]", true],
  ["::ffff:127.0.0.1", true],
  ["localhost", true],
  ["0.0.0.0", false],
  ["::", false],
  ["10.0.0.1", false],
  ["127.0.0.1.example", false],
])("loopback: %s is %s", (address, expected) => {
  expect(isLoopback(address)).toBe(expected);
});
