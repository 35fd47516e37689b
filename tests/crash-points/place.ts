import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Memory where there is some: thousands of nodes live and die here, and what a power cut leaves is reckoned. */
const PLACE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A directory that is gone when it is out of scope. */
export function temporaryDirectory(what: string, place = PLACE): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(place, `baton-${what}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
