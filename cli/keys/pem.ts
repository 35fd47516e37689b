/**
 * Private keys at rest: PKCS#8 encrypted by a passphrase (PBES2 with scrypt and AES-256-CBC), which every OpenSSL
 * reads (`openssl pkey -in FILE`). Node writes PKCS#8 with PBKDF2 of 2,048 rounds only, so the envelope is
 * written here; reading it is Node's.
 *
 * N = 2^14, r = 8, p = 5 costs 16 MB and about 0.2 s a guess. A larger N would exceed the 32 MB that OpenSSL
 * allows when it reads the file back.
 * Source: RFC 8018 (PBES2), RFC 7914 (scrypt), RFC 5958 (EncryptedPrivateKeyInfo), OWASP password storage.
 */
import { createCipheriv, createPrivateKey, type KeyObject, randomBytes, scryptSync } from "node:crypto";
import { err, type Fault, ok, type Result } from "../../protocol/result.ts";

const SCRYPT = { N: 2 ** 14, r: 8, p: 5 } as const;
const KEY_BYTES = 32;

/** The key as an encrypted PEM file. `random` is for tests. */
export function encryptPrivateKey(
  key: KeyObject,
  passphrase: string,
  random: (bytes: number) => Buffer = randomBytes,
): string {
  const salt = random(16);
  const iv = random(16);
  const secret = scryptSync(passphrase, salt, KEY_BYTES, { ...SCRYPT, maxmem: 64 * 2 ** 20 });
  const cipher = createCipheriv("aes-256-cbc", secret, iv);
  const plain = key.export({ type: "pkcs8", format: "der" });
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  plain.fill(0);
  const { N, r, p } = SCRYPT;
  const scrypt = sequence(
    oid("2b06010401da47040b"),
    sequence(octets(salt), integer(N), integer(r), integer(p), integer(KEY_BYTES)),
  );
  const aes = sequence(oid("60864801650304012a"), octets(iv));
  const pbes2 = sequence(oid("2a864886f70d01050d"), sequence(scrypt, aes));
  const lines =
    sequence(pbes2, octets(encrypted))
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return ["-----BEGIN ENCRYPTED PRIVATE KEY-----", ...lines, "-----END ENCRYPTED PRIVATE KEY-----", ""].join(
    "\n",
  );
}

/** Reads an encrypted key. Errors: `wrong-passphrase`, `bad-key` (not such a file at all). */
export function decryptPrivateKey(
  pem: string,
  passphrase: string,
  file: string,
): Result<KeyObject, Fault<"wrong-passphrase" | "bad-key">> {
  if (!pem.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----")) {
    return err({ code: "bad-key", message: `${file} is not an encrypted private key.`, context: { file } });
  }
  try {
    const key = createPrivateKey({ key: pem, passphrase });
    if (key.asymmetricKeyType === "ed25519") return ok(key);
  } catch {
    return err({
      code: "wrong-passphrase",
      message: `The passphrase does not open ${file}, or the file is damaged.`,
      hint: "Nothing was signed. Try again with the passphrase that the key was made with.",
      context: { file },
    });
  }
  return err({ code: "bad-key", message: `${file} does not hold an Ed25519 key.`, context: { file } });
}

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
};

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const octets = (bytes: Buffer): Buffer => der(0x04, bytes);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));

const integer = (value: number): Buffer => {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return der(0x02, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
};
