import { createHash } from "node:crypto";
import type { Build, Platform } from "../../../protocol/build.ts";
import type { Release } from "../../../protocol/release.ts";
import { ok } from "../../../protocol/result.ts";
import type { ReleaseSource } from "../../../server-stub/service/parts.ts";

export const buildOf = (version: string): Build => ({
  version,
  buildHash: createHash("sha256").update(version).digest("hex"),
});

/** What is published, without the signatures: `publish` takes a version as it is. */
export class Shelf implements ReleaseSource {
  readonly #releases: Release[] = [];
  expires: { role: string; expires: string; leftMs: number }[] = [];
  resigned = 0;

  put(version: string, platform: Platform = "linux-x64"): Build {
    const build = buildOf(version);
    const bundle = {
      platform,
      buildHash: build.buildHash,
      target: `${version}/x.tar.zst`,
      bytes: 1,
      sha256: build.buildHash,
      engines: "*",
      protocol: 1,
    };
    this.#releases.push({ version, minVersion: null, bundles: [bundle] });
    return build;
  }

  withdraw(version: string): void {
    const at = this.#releases.findIndex((release) => release.version === version);
    if (at >= 0) this.#releases.splice(at, 1);
  }

  releases() {
    return { releases: this.#releases, targetsVersion: this.#releases.length, expiresAt: null };
  }

  expiring() {
    return this.expires;
  }

  swept: { bundlesAfterMs: number; at: number }[] = [];

  expiries() {
    return this.expires.map(({ role, expires }) => ({ role, expires }));
  }

  sweep(bundlesAfterMs: number, now = 0) {
    this.swept.push({ bundlesAfterMs, at: now });
    return Promise.resolve([]);
  }

  resign() {
    this.resigned += 1;
    return Promise.resolve(ok([]));
  }

  upload() {
    return Promise.resolve(ok({ bytes: 0 }));
  }

  publish(targets: unknown) {
    this.put(String(targets));
    return Promise.resolve(ok({ targetsVersion: this.#releases.length }));
  }
}
