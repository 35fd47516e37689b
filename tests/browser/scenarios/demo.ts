import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { scenario } from "../runner.ts";

const MAIN = join(import.meta.dirname, "../../../examples/demo/main.ts");
const LINK = /^\s*(http:\/\/127\.0\.0\.1:\d+)(\/sign-in#\S+)$/;

export const demo = scenario(
  "npm run demo -- --keep: the address that it prints opens the dashboard, once, and what it told is there",
  async (stage, say) => {
    const began = performance.now();
    const running = spawn(process.execPath, [MAIN, "--keep"], { stdio: ["ignore", "pipe", "pipe"] });
    const ended = once(running, "exit");
    try {
      const { origin, path } = await linkOf(running);
      say(`the demo printed its address after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
      const page = await stage.open({ through: origin });
      await page.goto(path);
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      await page.getByRole("link", { name: "3 of 3 online" }).waitFor();
      await page.getByRole("link", { name: "1 rollouts halted" }).waitFor();
      await page.getByRole("link", { name: "Update to 1.2.0" }).click();
      await page.locator('.standing[data-status="halted"]').waitFor();
      await page.goto("/rollouts");
      await page.getByRole("link", { name: "Update to 1.1.0" }).click();
      await page.locator('.standing[data-status="completed"]').waitFor();

      const other = await stage.open({ through: origin });
      await other.goto(path);
      await other.getByRole("alert").getByText("used already").waitFor();
    } finally {
      running.kill("SIGINT");
      const [code] = (await ended) as [number | null];
      assert.equal(code, 0, "the demo did not end well");
    }
  },
);

/** What a person would click on in the terminal. */
async function linkOf({ stdout, stderr }: ChildProcess): Promise<{ origin: string; path: string }> {
  if (stdout === null || stderr === null) throw new Error("the demo cannot be read");
  const said: string[] = [];
  stderr.on("data", (text: Buffer) => said.push(text.toString()));
  for await (const line of createInterface({ input: stdout })) {
    said.push(line);
    const [, origin, path] = LINK.exec(line) ?? [];
    if (origin === undefined || path === undefined) continue;
    stdout.resume();
    return { origin, path };
  }
  throw new Error(`the demo ended without an address:\n${said.join("\n")}`);
}
