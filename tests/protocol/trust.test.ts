import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readKeyRequest, readTrustUpdate, requestKeys } from "../../protocol/ceremony.ts";
import { kitBundleName, kitRootName, readKitName } from "../../protocol/kit.ts";
import {
  canonicalBytes,
  keyIdOf,
  metadataText,
  publicKeyOf,
  rootFingerprint,
  signerOf,
  signMetadata,
  tufInstant,
} from "../../protocol/metadata.ts";
import {
  belowFloor,
  metadataName,
  raisedFloor,
  targetName,
  targetPath,
  targetUrlPath,
} from "../../protocol/trust.ts";
import { verifyFirstRoot, verifySigned } from "../../protocol/verify.ts";
import { newSigner, Simulator } from "../trust/simulator.ts";

const HASH = "a".repeat(64);

describe("names in the repository", () => {
  it.each([
    [metadataName("root", 3), "3.root.json"],
    [metadataName("targets", 12), "12.targets.json"],
    [metadataName("timestamp", 7), "timestamp.json"],
    [targetName({ version: "1.4.0", buildHash: HASH }, "linux-x64"), "1.4.0/linux-x64-aaaaaaaaaaaa.tar.zst"],
    [targetPath("1.4.0/x.tar.zst", HASH), `1.4.0/${HASH}.x.tar.zst`],
    [targetPath("x.tar.zst", HASH), `${HASH}.x.tar.zst`],
    [targetUrlPath("1.4.0+b.5/x.tar.zst", HASH), `1.4.0%2Bb.5/${HASH}.x.tar.zst`],
  ])("%s", (name, wanted) => {
    expect(name).toBe(wanted);
  });

  it("in a kit are read as they are written, and nothing else is", () => {
    expect(readKitName(kitRootName(7))).toEqual({ kind: "root", version: 7 });
    expect(readKitName(kitBundleName(HASH))).toEqual({ kind: "bundle", sha256: HASH });
    expect(readKitName("metadata/targets.json")).toEqual({ kind: "targets" });
    for (const name of [
      "",
      "metadata/0.root.json",
      "metadata/../targets.json",
      `targets/${HASH}/x`,
      "/metadata/1.root.json",
    ]) {
      expect(readKitName(name)).toBeNull();
    }
  });
});

describe("the floor", () => {
  const version = fc
    .tuple(fc.nat(20), fc.nat(20), fc.nat(20), fc.constantFrom("", "-rc.1", "-rc.2"))
    .map(([a, b, c, pre]) => `${a}.${b}.${c}${pre}`);

  it.each([
    ["1.0.0", null, false],
    ["1.0.0", "1.0.0", false],
    ["1.0.0-rc.1", "1.0.0", true],
    ["1.9.0", "1.10.0", true],
    ["2.0.0", "1.10.0", false],
  ])("%s below %s: %s", (of, floor, below) => {
    expect(belowFloor(of, floor)).toBe(below);
  });

  it("only rises, and what raised it stays allowed", () => {
    fc.assert(
      fc.property(fc.option(version), version, (floor, minVersion) => {
        const after = raisedFloor(floor, minVersion);
        expect(belowFloor(minVersion, after)).toBe(floor !== null && belowFloor(minVersion, floor));
        expect(floor === null || !belowFloor(after ?? "", floor)).toBe(true);
      }),
    );
  });

  it("stays as it is where a release signs none, or nonsense", () => {
    expect(raisedFloor("1.0.0", null)).toBe("1.0.0");
    expect(raisedFloor("1.0.0", undefined)).toBe("1.0.0");
    expect(raisedFloor(null, "newest")).toBeNull();
  });
});

describe("signed metadata", () => {
  const root = () => new Simulator();

  it("has a fingerprint of what is signed: a further signature does not change it", () => {
    const sim = root();
    const signed = JSON.parse(String(sim.pinnedRoot));
    const more = signMetadata(signed.signed, [newSigner()], signed.signatures);
    expect(more.signatures).toHaveLength(2);
    expect(rootFingerprint(more as never)).toBe(rootFingerprint(signed));
    expect(rootFingerprint({ ...signed, signed: { ...signed.signed, version: 2 } })).not.toBe(
      rootFingerprint(signed),
    );
  });

  it("is signed over bytes that do not depend on the order of members", () => {
    expect(canonicalBytes({ b: 1, a: '"\\é' }).toString()).toBe('{"a":"\\"\\\\é","b":1}');
    expect(() => canonicalBytes({ a: 1.5 })).toThrow("cannot encode 1.5");
  });

  it("verifies with enough signatures of the right keys, and not otherwise", () => {
    const sim = root();
    const trusted = JSON.parse(String(sim.pinnedRoot));
    const good = signMetadata(sim.targets, sim.signers.targets);
    expect(verifySigned(trusted, "targets", good)).toMatchObject({ ok: true });
    const bad = [
      signMetadata(sim.targets, [newSigner()]),
      { ...good, signatures: [] },
      { ...good, signed: { ...good.signed, version: 9 } },
      signMetadata(sim.snapshot, sim.signers.targets),
    ];
    for (const metadata of bad) {
      expect(verifySigned(trusted, "targets", metadata)).toMatchObject({ error: { code: "bad-signature" } });
    }
    expect(verifyFirstRoot({ ...trusted, signatures: [] })).toMatchObject({
      error: { code: "bad-signature" },
    });
  });

  it("names a key by what it is, from either half, and takes no other kind of key", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    expect(keyIdOf(publicKeyOf(publicKey))).toBe(signerOf(privateKey).keyid);
    expect(() => publicKeyOf(generateKeyPairSync("x25519").publicKey)).toThrow("not an Ed25519 key");
  });

  it("has instants in whole seconds of UTC", () => {
    expect(tufInstant(Date.parse("2026-03-04T05:06:07.891Z"))).toBe("2026-03-04T05:06:07Z");
  });
});

describe("the ceremony's papers", () => {
  it("are read back, with one key or both", () => {
    const keys = { snapshot: newSigner(), timestamp: newSigner() };
    const read = readKeyRequest(JSON.stringify(requestKeys(keys)));
    expect(read.ok && read.value.snapshot && keyIdOf(read.value.snapshot)).toBe(keys.snapshot.keyid);
    const half = readKeyRequest(JSON.stringify(requestKeys({ timestamp: keys.timestamp })));
    expect(half.ok && Object.keys(half.value)).toEqual(["timestamp"]);
  });

  it("may be a bare root, or a root with targets; anything else is malformed", () => {
    const sim = new Simulator();
    const root = JSON.parse(String(sim.pinnedRoot));
    const targets = signMetadata(sim.targets, sim.signers.targets);
    expect(readTrustUpdate(metadataText(root))).toEqual({ ok: true, value: { root } });
    expect(readTrustUpdate(JSON.stringify({ root, targets }))).toEqual({
      ok: true,
      value: { root, targets },
    });
    for (const text of ["", "{}", metadataText(targets), JSON.stringify({ root, extra: 1 })]) {
      expect(readTrustUpdate(text)).toMatchObject({ error: { code: "malformed" } });
    }
  });
});
