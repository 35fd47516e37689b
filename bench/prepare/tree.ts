import { createCipheriv } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A program whose self-test finds nothing: what it takes to start it is measured all the same. */
export const ENTRY = "main.mjs";

/**
 * Writes a tree of `files` files, with the `version.json` that packing adds, which packs to about `packedBytes`:
 * sizes from a few kilobytes to a few megabytes, contents that a packer can shorten by a quarter and no more. The
 * same every time.
 */
export async function writeTree(dir: string, files: number, packedBytes: number): Promise<void> {
  const noise = createCipheriv("aes-128-ctr", Buffer.alloc(16, 7), Buffer.alloc(16));
  const count = files - 2;
  const weights = Array.from({ length: count }, (_, at) => 1.02 ** at);
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  for (const [at, weight] of weights.entries()) {
    const path = join(dir, `part-${at % 16}`, `file-${at}.js`);
    await mkdir(dirname(path), { recursive: true });
    const bytes = noise.update(Buffer.alloc(Math.round((packedBytes * weight) / whole)));
    await writeFile(path, bytes.toString("base64"));
  }
  await writeFile(
    join(dir, ENTRY),
    'console.log(JSON.stringify({ ok: process.argv.includes("--self-test") }));\n',
  );
}
