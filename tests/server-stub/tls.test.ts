import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import pino from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { init } from "../../server-stub/commands/init.ts";
import { parseConfig } from "../../server-stub/config.ts";
import { type Running, serve } from "../../server-stub/serve.ts";

/** Certificates for 127.0.0.1, made for these tests alone. */
const TESTDATA = join(import.meta.dirname, "../testdata/tls");

describe("over TLS", () => {
  let dir: string;
  let running: Running;
  let first: string;
  const use = async (name: string): Promise<void> => {
    await copyFile(join(TESTDATA, `${name}.crt`), join(dir, "tls.crt"));
    await copyFile(join(TESTDATA, `${name}.key`), join(dir, "tls.key"));
  };
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "baton-tls-"));
    first = await readFile(join(TESTDATA, "first.crt"), "utf8");
    await use("first");
    const text = `[tls]\ncert_file = "${join(dir, "tls.crt")}"\nkey_file = "${join(dir, "tls.key")}"\n`;
    const config = parseConfig(text, "c.toml", { stateDir: join(dir, "state"), port: 0 });
    if (!config.ok) throw new Error(config.error.message);
    await init(config.value);
    const started = await serve(config.value, pino({ level: "silent" }));
    if (!started.ok) throw new Error(started.error.message);
    running = started.value;
  });
  afterAll(async () => {
    await running.stop();
    await rm(dir, { recursive: true });
  });

  test("the API answers who trusts its certificate", async () => {
    expect(running.url).toMatch(/^https:/);
    expect(await statusOf(`${running.url}/healthz`, first)).toBe(200);
    await expect(fetch(`${running.url}/healthz`)).rejects.toThrow("fetch failed");
  });

  test("a new certificate is taken without a restart, and a broken one is not", async () => {
    await use("second");
    await running.reloadTls();
    expect(await nameOf(running.url)).toBe("second");
    await writeFile(join(dir, "tls.crt"), "nonsense");
    await expect(running.reloadTls()).rejects.toThrow("cannot be used");
    expect(await nameOf(running.url)).toBe("second");
  });

  test("a new certificate is noticed without being told, and half of a new one is not taken", async () => {
    await use("second");
    await running.lookAtTls();
    await copyFile(join(TESTDATA, "first.crt"), join(dir, "tls.crt"));
    await running.lookAtTls();
    expect(await nameOf(running.url)).toBe("second");
    await copyFile(join(TESTDATA, "first.key"), join(dir, "tls.key"));
    await running.lookAtTls();
    expect(await nameOf(running.url)).toBe("first");
    await rm(join(dir, "tls.key"));
    await running.lookAtTls();
    await running.lookAtTls();
    expect(await nameOf(running.url)).toBe("first");
  });
});

const statusOf = (url: string, ca: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { ca, agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end();
  });

/** Common name of the certificate that is shown. */
const nameOf = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      const { subject } = socket.getPeerCertificate();
      socket.end(() => resolve(String(subject.CN)));
    });
    socket.on("error", reject);
  });
