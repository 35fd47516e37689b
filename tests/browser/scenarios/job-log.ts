import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { scenario } from "../runner.ts";
import { axe, type Stage } from "../stage.ts";
import { CREDENTIAL, GROUP, JOB, NODE, store } from "../stored.ts";
import { traced } from "../trace.ts";

const HOSTILE = [
  "\u001b[1;31mred\u001b[0m and \u001b]0;another title\u0007plain",
  `<img src=x onerror="document.title='run'"><b>bold</b>`,
  "right\u202eto left",
];
/** Of a processor, for all that comes in one answer. */
const MOST_MS = 200;

export const jobLog = scenario(
  "jobs: the log follows, survives a reload, downloads, and is harmless, a megabyte of it too",
  async (stage, say) => {
    await stage.startCoordinator((stateDir) =>
      store(stateDir, [
        { kind: "group", value: GROUP, expected: 0 },
        { kind: "node", value: NODE, expected: 0 },
        { kind: "job", value: JOB, expected: 0 },
      ]),
    );
    await append(stage, 0, HOSTILE);
    const page = await stage.signedIn("operator", "/jobs");
    await page.getByRole("link", { name: "anna" }).click();
    await page.getByRole("heading", { name: "Update of anna" }).waitFor();
    const log = page.getByRole("log");
    await log.getByText("red and plain").waitFor();
    await log.getByText(`<img src=x onerror="document.title='run'"><b>bold</b>`).waitFor();
    await log.getByText("right<U+202E>to left").waitFor();
    assert.equal(await log.locator("img, b").count(), 0);

    const began = performance.now();
    await append(stage, 3, texts(3, 397));
    await log.getByText("this is line 399", { exact: true }).waitFor();
    say(`397 further lines are there after ${Math.round(performance.now() - began)} ms`);
    assert.ok(await isAtEnd(page), "the log does not follow");

    // Whoever reads further up is left there.
    await log.evaluate((box) => box.scrollTo(0, 40));
    await page.getByText("not following").waitFor();
    await append(stage, 400, texts(400, 1));
    await page.getByText("401 lines").waitFor();
    assert.equal(await log.evaluate((box) => Math.round(box.scrollTop)), 40);
    await page.getByRole("button", { name: "To the end" }).click();
    await page.getByText("· following").waitFor();
    for (const colors of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme: colors });
      assert.deepEqual(await axe(page), [], colors);
    }

    await page.reload();
    await page.getByText("401 lines").waitFor();
    await log.getByText("this is line 400", { exact: true }).waitFor();

    const megabyte = Array.from({ length: 130 }, (_, at) =>
      `${at} ${"\u001b[32mgreen\u001b[0m ".repeat(500)}`.slice(0, 8_192),
    );
    const { longestTaskMs } = await traced(page, async () => {
      await append(stage, 401, megabyte);
      await page.getByText("531 lines").waitFor();
    });
    say(
      `of a megabyte more, the longest task of the page took ${longestTaskMs.toFixed(1)} ms of a processor`,
    );
    assert.ok(longestTaskMs <= MOST_MS, `${longestTaskMs} ms`);

    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download" }).click();
    const file = await downloading;
    assert.equal(file.suggestedFilename(), `${JOB.id}.log`);
    const text = await readFile(await file.path(), "utf8");
    assert.equal(text.trimEnd().split("\n").length, 531);
    assert.ok(!text.includes("\u001b"), "what is downloaded can command a terminal");

    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await page.getByText("cancelled", { exact: true }).waitFor();
    await page.locator('[data-log="whole"]').waitFor();
    const cancel = page.getByRole("button", { name: /^Cancel: It has cancelled already|^Cancel: / });
    assert.equal(await cancel.getAttribute("aria-disabled"), "true");
    assert.match(
      (await page.getByRole("button", { name: /^Retry/ }).getAttribute("aria-label")) ?? "",
      /offline|not heard/,
    );
  },
);

const texts = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `this is line ${from + at}`);

/** As the node would send them. */
async function append(stage: Stage, from: number, lines: readonly string[]): Promise<void> {
  // A request has a hundred lines, or 64 KiB.
  const size = (lines[0]?.length ?? 0) > 1_000 ? 5 : 100;
  for (let at = 0; at < lines.length; at += size) {
    const body = {
      lines: lines.slice(at, at + size).map((text, index) => ({
        index: from + at + index,
        at: Date.now(),
        source: "agent",
        step: "fetch",
        text,
      })),
    };
    const answer = await fetch(`${stage.fleet.url}/v1/jobs/${JOB.id}/log`, {
      method: "POST",
      headers: { authorization: `Bearer ${CREDENTIAL}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, await answer.text());
  }
}

const isAtEnd = (page: Page): Promise<boolean> =>
  page.getByRole("log").evaluate(
    (box) =>
      new Promise<boolean>((resolve) => {
        requestAnimationFrame(() =>
          requestAnimationFrame(() => resolve(box.scrollHeight - box.scrollTop - box.clientHeight < 30)),
        );
      }),
  );
