/** Opening a key is slow on purpose. A test that is about something else opens it cheaply. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decryptPrivateKey } from "../../cli/keys/pem.ts";
import { must } from "./publisher.ts";

/** Protects the keys of a directory by what Node writes itself: still PKCS#8, with far fewer rounds. */
export async function cheapen(dir: string, passphrase: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!name.endsWith(".pem")) continue;
    const file = join(dir, name);
    const key = must(decryptPrivateKey(await readFile(file, "utf8"), passphrase, file));
    const cheap = key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase });
    await writeFile(file, cheap);
  }
}
