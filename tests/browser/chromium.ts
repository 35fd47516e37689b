/** A real browser: the system's Chromium, driven by playwright-core. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";

const run = promisify(execFile);

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where it is; installed by apt-get where it is not, which needs root and a network. */
export async function findChromium(print: (line: string) => void): Promise<string> {
  const named = process.env.BATON_CHROMIUM;
  const found = [...(named === undefined ? [] : [named]), ...PLACES].find(existsSync);
  if (found !== undefined) return found;
  print("installing chromium");
  const options = { timeout: 600_000, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  await run("apt-get", ["update", "-q"], options);
  await run("apt-get", ["install", "-q", "-y", "--no-install-recommends", "chromium"], options);
  return PLACES[0] ?? "";
}

/** Headless, with nothing of its own going on: no updates, no reports, no network but to what it is sent to. */
export const launch = (executablePath: string): Promise<Browser> =>
  chromium.launch({
    executablePath,
    headless: true,
    chromiumSandbox: false,
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
