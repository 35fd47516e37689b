import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm, watch, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readWorkload } from "../../cli/bundle/workload-file.ts";
import { HealthReport } from "../../protocol/health.ts";
import { parse } from "../../protocol/parse.ts";

const example = join(import.meta.dirname, "../../examples/workload");
let here = "";
beforeEach(async () => {
  here = await mkdtemp(join(tmpdir(), "baton-ticker-"));
});
afterEach(() => rm(here, { recursive: true }));

const hook = async (name: string, env = {}) =>
  (
    await promisify(execFile)(`./${name}`, {
      cwd: example,
      env: { ...process.env, TICKER_DIR: here, ...env },
    })
  ).stdout;
const health = async () => JSON.parse(await hook("health"));

describe("the example of a workload", () => {
  it("names its programs as the bundle will have them", async () => {
    expect(await readWorkload(example)).toMatchObject({
      ok: true,
      value: { command: ["./serve"], health: ["./health"], handover: ["./handover"], drainMs: 5000 },
    });
  });

  it("serves, is healthy, drains, resumes and stops", async () => {
    expect(await health()).toMatchObject({ healthy: false });
    const changes = watch(here)[Symbol.asyncIterator]();
    const firstChange = changes.next();
    const service = spawn("./serve", {
      cwd: example,
      env: { ...process.env, TICKER_DIR: here },
      stdio: "ignore",
    });
    await firstChange;
    while (
      !(await access(join(here, "beat")).then(
        () => true,
        () => false,
      ))
    )
      await changes.next();
    await changes.return?.();
    expect(await health()).toEqual({ healthy: true, caughtUp: true, role: "follower" });
    await hook("drain");
    expect(await health()).toMatchObject({ healthy: true, caughtUp: false, detail: "drained" });
    await hook("resume");
    expect(await health()).toMatchObject({ caughtUp: true });
    service.kill("SIGTERM");
    expect(await once(service, "exit")).toEqual([0, null]);
  });

  it("hands leadership over to a peer, and not to nobody", async () => {
    await writeFile(join(here, "leader"), "");
    await writeFile(join(here, "beat"), String(Math.floor(Date.now() / 1000)));
    const report = await health();
    expect(report).toMatchObject({ role: "leader" });
    expect(parse(HealthReport, report, "health")).toMatchObject({ ok: true });
    await expect(hook("handover", { BATON_PEERS: "[]" })).rejects.toMatchObject({ code: 1 });
    await hook("handover", { BATON_PEERS: '[{"name":"n2"}]' });
    expect(await health()).toMatchObject({ role: "follower" });
    await hook("handover", { BATON_PEERS: "[]" });
  });
});
