import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { keysCommand } from "../../../cli/keys/command.ts";
import { initKeys } from "../../../cli/keys/init.ts";
import { readRoot } from "../../../cli/keys/keyring.ts";
import { readPassphrase } from "../../../cli/keys/passphrase.ts";
import { decryptPrivateKey, encryptPrivateKey } from "../../../cli/keys/pem.ts";
import { renewRoot, rotateKeys, signRequest } from "../../../cli/keys/sign.ts";
import { requestKeys } from "../../../protocol/ceremony.ts";
import { type Signer, signerOf } from "../../../protocol/metadata.ts";
import { verifyFirstRoot, verifyNextRoot } from "../../../protocol/verify.ts";
import { cheapen } from "../../trust/cheap-keys.ts";

const PASSPHRASE = "correct horse";
const NOW = Date.parse("2026-03-01T00:00:00Z");

/** Keys made once, cheap to open. */
let made = "";
beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), "baton-keys-"));
  await initKeys(join(made, "k"), PASSPHRASE);
  await cheapen(join(made, "k"), PASSPHRASE);
});
afterAll(() => rm(made, { recursive: true }));

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "baton-keys-"));
});
afterEach(() => rm(dir, { recursive: true }));

const signer = (): Signer => signerOf(generateKeyPairSync("ed25519").privateKey);
const requestText = (keys = { snapshot: signer(), timestamp: signer() }) => JSON.stringify(requestKeys(keys));
const signing = () => ({ dir: join(dir, "k"), passphrase: PASSPHRASE, now: NOW });

async function ceremony() {
  await cp(join(made, "k"), join(dir, "k"), { recursive: true });
  const signed = await signRequest(signing(), requestText());
  if (!signed.ok) throw new Error(signed.error.message);
  return signed.value;
}

describe("a private key at rest", () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = encryptPrivateKey(privateKey, PASSPHRASE);

  it("is PKCS#8 that Node and OpenSSL read with the passphrase", () => {
    expect(createPrivateKey({ key: pem, passphrase: PASSPHRASE }).equals(privateKey)).toBe(true);
    expect(pem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
  });

  it("is derived by scrypt, not by the 2,048 rounds that Node writes", () => {
    const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\n/g, ""), "base64");
    expect(der.includes(Buffer.from("2b06010401da47040b", "hex"))).toBe(true);
    expect(der.includes(Buffer.from([0x02, 0x02, 0x40, 0x00]))).toBe(true); // N = 16384
  });

  it("stays shut for another passphrase, and for a file that is no such key", () => {
    expect(decryptPrivateKey(pem, "wrong", "f.pem")).toMatchObject({ error: { code: "wrong-passphrase" } });
    expect(decryptPrivateKey("hello", PASSPHRASE, "f.pem")).toMatchObject({ error: { code: "bad-key" } });
  });
});

describe("the passphrase", () => {
  it("comes from a file first, then from the environment, then from a person", async () => {
    const file = join(dir, "pass");
    await writeFile(file, "from the file\n");
    const env = { BATON_PASSPHRASE_FILE: file, BATON_PASSPHRASE: "from the environment" };
    const ask = () => Promise.resolve("from a person");
    expect(await readPassphrase({ env, ask }, "open")).toEqual({ ok: true, value: "from the file" });
    expect(await readPassphrase({ env: { BATON_PASSPHRASE: "e" }, ask }, "open")).toEqual({
      ok: true,
      value: "e",
    });
    expect(await readPassphrase({ env: {}, ask }, "open")).toEqual({ ok: true, value: "from a person" });
  });

  it("is asked for again until both times are the same", async () => {
    const answers = ["first try", "something else", "second try", "second try"];
    const ask = () => Promise.resolve(answers.shift() ?? null);
    expect(await readPassphrase({ env: {}, ask }, "new")).toEqual({ ok: true, value: "second try" });
  });

  it.each([
    ["nobody can be asked", { env: {}, ask: null }, "no-passphrase"],
    ["the file is missing", { env: { BATON_PASSPHRASE_FILE: "/nowhere/p" }, ask: null }, "no-passphrase"],
    ["it is short", { env: { BATON_PASSPHRASE: "short" }, ask: null }, "weak-passphrase"],
  ])("is refused when %s", async (_why, source, code) => {
    expect(await readPassphrase(source, "new")).toMatchObject({ error: { code } });
  });
});

describe("the ceremony", () => {
  it("makes keys that only their owner can read, and a root that names all four roles", async () => {
    const { update } = await ceremony();
    expect(verifyFirstRoot(update.root)).toEqual({ ok: true, value: undefined });
    expect(update.root.signed).toMatchObject({ version: 1, expires: "2027-03-01T00:00:00Z" });
    const files = await readdir(join(dir, "k"));
    for (const file of files.filter((name) => name.endsWith(".pem"))) {
      expect((await stat(join(dir, "k", file))).mode & 0o777).toBe(0o600);
      expect(await readFile(join(dir, "k", file), "utf8")).toContain("ENCRYPTED");
    }
    expect(files.toSorted().map((name) => name.replace(/-[0-9a-f]{8}/, ""))).toEqual([
      "1.root.json",
      "keyring.json",
      "root.pem",
      "targets.pem",
    ]);
  });

  it("never overwrites keys", async () => {
    await ceremony();
    const before = await readdir(join(dir, "k"));
    expect(await initKeys(join(dir, "k"), PASSPHRASE)).toMatchObject({ error: { code: "keys-exist" } });
    expect(await readdir(join(dir, "k"))).toEqual(before);
  });

  it("refuses keys that their asker does not hold", async () => {
    await cp(join(made, "k"), join(dir, "k"), { recursive: true });
    const request = JSON.parse(requestText());
    request.keys.timestamp.key = requestKeys({ timestamp: signer() }).keys.timestamp?.key;
    expect(await signRequest(signing(), JSON.stringify(request))).toMatchObject({
      error: { code: "bad-proof" },
    });
    const swapped = JSON.parse(requestText());
    swapped.keys = { snapshot: swapped.keys.timestamp, timestamp: swapped.keys.snapshot };
    expect(await signRequest(signing(), JSON.stringify(swapped))).toMatchObject({
      error: { code: "bad-proof" },
    });
    expect(await readRoot(join(dir, "k"))).toEqual({ ok: true, value: null });
  });

  it("needs both online keys the first time, and says what is no request at all", async () => {
    await cp(join(made, "k"), join(dir, "k"), { recursive: true });
    const half = JSON.stringify(requestKeys({ snapshot: signer() }));
    expect(await signRequest(signing(), half)).toMatchObject({ error: { code: "incomplete-request" } });
    expect(await signRequest(signing(), "{}")).toMatchObject({ error: { code: "malformed" } });
  });

  it("asks for as many signatures as the threshold says", async () => {
    const counts = { root: { keys: 3, threshold: 2 }, targets: { keys: 1, threshold: 1 } };
    await initKeys(join(dir, "k"), PASSPHRASE, counts);
    const signed = await signRequest(signing(), requestText());
    if (!signed.ok) throw new Error(signed.error.message);
    const { root } = signed.value.update;
    expect(root.signatures).toHaveLength(3);
    expect(verifyFirstRoot({ ...root, signatures: root.signatures.slice(1) })).toMatchObject({ ok: true });
    expect(verifyFirstRoot({ ...root, signatures: root.signatures.slice(2) })).toMatchObject({
      error: { code: "bad-signature" },
    });
    const tooHigh = { root: { keys: 1, threshold: 2 }, targets: counts.targets };
    expect(await initKeys(join(dir, "x"), PASSPHRASE, tooHigh)).toMatchObject({
      error: { code: "bad-threshold" },
    });
  });
});

describe("a new version of the root", () => {
  it.each([
    ["root keys are replaced", (k: ReturnType<typeof signing>) => rotateKeys(k, "root"), "root"],
    ["targets keys are replaced", (k: ReturnType<typeof signing>) => rotateKeys(k, "targets"), "targets"],
    [
      "the snapshot key is replaced",
      (k: ReturnType<typeof signing>) => signRequest(k, JSON.stringify(requestKeys({ snapshot: signer() }))),
      "snapshot",
    ],
    [
      "the timestamp key is replaced",
      (k: ReturnType<typeof signing>) => signRequest(k, JSON.stringify(requestKeys({ timestamp: signer() }))),
      "timestamp",
    ],
    ["it is renewed", renewRoot, null],
  ] as const)("follows the one before when %s", async (_what, change, changedRole) => {
    const first = (await ceremony()).update.root;
    const signed = await change(signing());
    if (!signed.ok) throw new Error(signed.error.message);
    const next = signed.value.update.root;
    expect(verifyNextRoot(first, next)).toEqual({ ok: true, value: undefined });
    for (const role of ["root", "targets", "snapshot", "timestamp"] as const) {
      const same = next.signed.roles[role].keyids[0] === first.signed.roles[role].keyids[0];
      expect([role, same]).toEqual([role, role !== changedRole]);
    }
    // What was made is also what the directory goes on with.
    const after = await renewRoot(signing());
    expect(after).toMatchObject({ ok: true, value: { update: { root: { signed: { version: 3 } } } } });
  });

  it("is not made with a wrong passphrase, and nothing is left of the attempt", async () => {
    await ceremony();
    const before = await readdir(join(dir, "k"));
    const wrong = await rotateKeys({ ...signing(), passphrase: "something else" }, "targets");
    expect(wrong).toMatchObject({ error: { code: "wrong-passphrase" } });
    expect(await readdir(join(dir, "k"))).toEqual(before);
  });

  it("does not skip a version", async () => {
    const first = (await ceremony()).update.root;
    await renewRoot(signing());
    const third = await renewRoot(signing());
    expect(third.ok && verifyNextRoot(first, third.value.update.root)).toMatchObject({ ok: false });
  });
});

describe("baton keys", () => {
  const run = async (...args: string[]) => {
    const printed: string[] = [];
    const world = {
      passphrase: { env: { BATON_PASSPHRASE: PASSPHRASE }, ask: null },
      now: () => NOW,
      print: (text: string) => void printed.push(text),
    };
    await keysCommand(world).exitOverride().parseAsync(args, { from: "user" });
    return printed.join("\n");
  };

  it("goes through the whole ceremony from the command line", async () => {
    const k = join(dir, "k");
    expect(await run("init", k)).toContain("baton keys sign");
    await writeFile(join(dir, "request.json"), requestText());
    const signed = JSON.parse(await run("sign", join(dir, "request.json"), "--keys", k, "--json"));
    expect(signed).toMatchObject({ version: 1, file: join(k, "1.root.json") });
    expect(await run("fingerprint", signed.file)).toBe(signed.fingerprint);
    expect(await run("rotate", "root", "--keys", k)).toContain("root version 2");
    const shown = JSON.parse(await run("show", "--keys", k, "--json"));
    expect(shown.root.version).toBe(2);
    expect(shown.keys.map((key: { current: boolean }) => key.current)).toEqual([false, true, true]);
  });

  it("throws a fault for what is expected to fail", async () => {
    await expect(run("show", "--keys", join(dir, "none"))).rejects.toMatchObject({
      fault: { code: "no-keys" },
    });
    await expect(run("sign", join(dir, "none"))).rejects.toMatchObject({ fault: { code: "no-file" } });
  });
});
