import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rotateKeys } from "../../../cli/keys/sign.ts";
import type { PublishApi } from "../../../cli/publish/current.ts";
import { nextTargets } from "../../../cli/publish/next-targets.ts";
import { tufInstant } from "../../../protocol/metadata.ts";
import { err } from "../../../protocol/result.ts";
import { must } from "../../trust/publisher.ts";
import { DAY, NOW } from "../../trust/simulator.ts";
import { PASSPHRASE, usePublishing } from "./publishing.ts";

const at = usePublishing();
const { api, keys, open, publish } = at;

describe("publishing", () => {
  it("signs what the bundles say of themselves, and uploads them first", async () => {
    const done = must(await publish(["1.0.0"], { minVersion: "0.9.0" }));
    expect(done).toEqual({ targetsVersion: 1, expires: tufInstant(NOW + 180 * DAY), changed: true });
    const { versionJson, sha256 } = await open("1.0.0");
    expect(at.repository.releases().releases).toMatchObject([
      {
        version: "1.0.0",
        minVersion: "0.9.0",
        bundles: [{ buildHash: versionJson.buildHash, sha256, engines: ">=26.0.0" }],
      },
    ]);
    expect(at.uploads).toEqual([sha256]);
  });

  it("adds to what is there, and a version's platforms may come one after the other", async () => {
    must(await publish(["1.0.0"]));
    must(await publish(["1.1.0"], { minVersion: "1.0.0" }));
    must(await publish(["1.1.0-arm"]));
    const { releases, targetsVersion } = at.repository.releases();
    expect(targetsVersion).toBe(3);
    expect(releases.map(({ version, minVersion, bundles: of }) => [version, minVersion, of.length])).toEqual([
      ["1.0.0", null, 1],
      ["1.1.0", "1.0.0", 2],
    ]);
  });

  it("may be repeated: what is published already is left alone", async () => {
    must(await publish(["1.0.0"]));
    expect(must(await publish(["1.0.0"]))).toMatchObject({ targetsVersion: 1, changed: false });
    expect(at.uploads).toHaveLength(1);
  });

  it("brings back what a restore lost, one release after the other: bundles, and what was published since", async () => {
    must(await publish(["1.0.0"]));
    must(await publish(["1.1.0"]));
    await cp(join(at.dir, "repository"), join(at.dir, "copy"), { recursive: true });
    must(await publish(["1.1.0-arm"]));
    // A backup without the bundles, from before the last release.
    await rm(join(at.dir, "repository"), { recursive: true });
    await cp(join(at.dir, "copy"), join(at.dir, "repository"), { recursive: true });
    await rm(join(at.dir, "repository", "targets"), { recursive: true });
    await at.reopen();
    expect(await publish(["1.0.0"])).toMatchObject({ ok: false, error: { code: "rolled-back" } });
    expect(await at.repository.missingBundles()).toHaveLength(2);
    expect(must(await publish(["1.1.0-arm"], { afterRestore: true })).targetsVersion).toBe(4);
    expect(await at.repository.missingBundles()).toHaveLength(2);
    expect(must(await publish(["1.0.0"], { afterRestore: true })).targetsVersion).toBe(5);
    expect((await at.repository.missingBundles()).map(({ name }) => name)).toEqual([
      expect.stringContaining("1.1.0/linux-x64"),
    ]);
    expect(must(await publish(["1.1.0"], { afterRestore: true })).targetsVersion).toBe(6);
    expect(await at.repository.missingBundles()).toEqual([]);
    expect(at.repository.releases().releases.map(({ bundles: of }) => of.length)).toEqual([1, 2]);
  });

  it("keeps a floor that was said before, also for another build", async () => {
    must(await publish(["1.1.0"], { minVersion: "1.0.0" }));
    expect(must(await publish(["1.1.0"]))).toMatchObject({ changed: false });
    must(await publish(["1.1.0-again"], { rebuild: true }));
    expect(at.repository.releases().releases).toMatchObject([{ minVersion: "1.0.0" }]);
    must(await publish(["1.1.0-again"], { minVersion: "1.1.0" }));
    expect(at.repository.releases().releases).toMatchObject([{ minVersion: "1.1.0" }]);
  });

  it("goes on where the answer to the last one was lost", async () => {
    const lossy = {
      ...api(),
      call: async (request: Parameters<PublishApi["call"]>[0]) => {
        const answer = await api().call(request);
        return request.method === "POST" ? err({ code: "unreachable", message: "connection reset" }) : answer;
      },
    } as PublishApi;
    expect(await publish(["1.0.0"], { api: lossy })).toMatchObject({ error: { code: "unreachable" } });
    expect(must(await publish(["1.0.0"]))).toMatchObject({ targetsVersion: 1, changed: false });
    expect(must(await publish(["1.1.0"]))).toMatchObject({ targetsVersion: 2 });
  });

  it("renews a signature before it expires, with nothing new", async () => {
    must(await publish(["1.0.0"]));
    at.now += 160 * DAY;
    must(await at.repository.resign());
    expect(at.repository.expiring().map(({ role }) => role)).toContain("targets");
    expect(must(await publish([]))).toMatchObject({
      targetsVersion: 2,
      expires: tufInstant(at.now + 180 * DAY),
    });
    expect(at.repository.expiring()).toEqual([]);
  });

  it("puts another build of a version in the place of the old one only when told", async () => {
    must(await publish(["1.1.0"]));
    const refused = await publish(["1.1.0-again"]);
    expect(refused).toMatchObject({
      error: { code: "version-exists", hint: expect.stringContaining("--rebuild") },
    });
    expect(at.uploads).toHaveLength(1);
    must(await publish(["1.1.0-again"], { rebuild: true }));
    const { versionJson } = await open("1.1.0-again");
    expect(at.repository.releases().releases).toMatchObject([
      { bundles: [{ buildHash: versionJson.buildHash }] },
    ]);
  });
});

it("targets keys are rotated while releases are out, and publishing goes on", async () => {
  must(await publish(["1.0.0"]));
  const { update, file } = must(
    await rotateKeys({ dir: keys(), passphrase: PASSPHRASE, now: at.now }, "targets"),
  );
  expect(file).toMatch(/2\.trust\.json$/);
  expect(await publish(["1.1.0"])).toMatchObject({
    error: { hint: expect.stringContaining("coordinator trust") },
  });
  must(await at.repository.installTrust([update]));
  expect(must(await publish(["1.1.0"]))).toMatchObject({ targetsVersion: 3 });
});

describe("the next targets metadata", () => {
  it("leaves alone what it does not understand", () => {
    const strange = { length: 5, hashes: { sha256: "0".repeat(64) }, custom: { of: "another time" } };
    const current = {
      _type: "targets" as const,
      spec_version: "1.0.31",
      version: 7,
      expires: tufInstant(NOW),
      targets: { "strange.bin": strange },
      "x-more": "kept",
    };
    const next = must(nextTargets(current, { bundles: [] }, NOW + DAY));
    expect(next).toEqual({ ...current, version: 8, expires: tufInstant(NOW + DAY) });
  });

  it("refuses a development build", () => {
    const versionJson = {
      version: "0.0.0-dev",
      buildHash: "0".repeat(64),
      builtAt: "",
      gitCommit: "unknown",
      entry: "x",
      engines: { node: "*" },
      platform: "linux-x64" as const,
      protocol: 1,
    };
    const bundle = { bytes: 1, sha256: "0".repeat(64), versionJson };
    expect(nextTargets(null, { bundles: [bundle] }, NOW)).toMatchObject({
      error: { code: "development-build" },
    });
  });
});
