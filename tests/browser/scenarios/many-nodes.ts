import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import type { GroupRecord } from "../../../server-stub/store/records.ts";
import { openSqliteStore } from "../../../server-stub/store/sqlite/open.ts";
import { nodesAway } from "../../harness/many-nodes.ts";
import { scenario } from "../runner.ts";
import type { Stage } from "../stage.ts";
import { traced, whyBusy } from "../trace.ts";

const MANY = 10_000;
const MOST_MS = 50;

export const manyNodes = scenario(
  "nodes: ten thousand scroll without a long frame, are filtered at once, and one that changes repaints one row",
  async (stage, say) => {
    await stage.startCoordinator(async (stateDir) => storeMany(join(stateDir, "coordinator.db")));
    const began = performance.now();
    const page = await stage.signedIn("operator", "/nodes");
    await page.getByText(`${MANY} of ${MANY} nodes`).waitFor();
    say(`${MANY} nodes are there ${Math.round(performance.now() - began)} ms after signing in began`);
    // Nobody of them is online; once that has been said of each, nothing happens any more but what is done here.
    await untilAllAreMissed(stage);
    await page.goto("/nodes?show=offline");
    await page.getByText(`${MANY} of ${MANY} nodes`).waitFor();

    const scrolled = await measured(
      page,
      () => scroll(page),
      ({ slowestMs }) => slowestMs,
    );
    const { count, slowestMs, rows: passed } = scrolled.value;
    say(`five seconds of scrolling: ${count} frames over ${passed} rows, the slowest after ${ms(slowestMs)}`);
    say(`  ${scrolled.judged}`);
    assert.ok(passed > 200, "it did not scroll far");

    const filtered = await measured(
      page,
      () => filter(page, "node-99"),
      (took) => took,
    );
    say(`a filter answers after ${ms(filtered.value)}`);
    say(`  ${filtered.judged}`);

    const rows = await repainted(page, async () => {
      const { nodes } = await stage.api.call<{ nodes: { id: string }[] }>("GET", "/v1/nodes?limit=5");
      const id = nodes[2]?.id ?? "";
      const token = await stage.adminToken();
      const answer = await fetch(`${stage.fleet.url}/v1/nodes/${id}`, {
        method: "PATCH",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ voter: false }),
      });
      assert.equal(answer.status, 200, await answer.text());
      await page.locator(`[data-node="${id}"]`).getByText("no vote").waitFor();
      return id;
    });
    say(`an event for one node repaints ${rows.length} row`);
    assert.equal(rows.length, 1);
  },
  { timeoutMs: 300_000 },
);

const ms = (value: number): string => `${value.toFixed(1)} ms`;

/**
 * What it did best in three times: a machine that is shared holds a frame back now and then. On one that is busy with
 * something else the bound is on what the page took of a processor, and says so; otherwise on the clock as well.
 */
async function measured<T>(
  page: Page,
  measure: () => Promise<T>,
  of: (value: T) => number,
): Promise<{ value: T; judged: string }> {
  const all: { value: T; longestTaskMs: number; busy: string | null; judge: number }[] = [];
  for (let times = 0; times < 3; times += 1) {
    const busy = whyBusy();
    const { value, longestTaskMs } = await traced(page, measure);
    all.push({
      value,
      longestTaskMs,
      busy,
      judge: busy === null ? Math.max(longestTaskMs, of(value)) : longestTaskMs,
    });
    if (all.some(({ judge }) => judge <= MOST_MS)) break;
  }
  const [best] = all.sort((a, b) => a.judge - b.judge);
  if (best === undefined) throw new Error("nothing was measured");
  const { value, longestTaskMs, busy, judge } = best;
  const how = busy ?? "judged by the clock as well";
  const judged = `best of ${all.length}: the longest task of the page took ${ms(longestTaskMs)} of a processor; ${how}`;
  assert.ok(judge <= MOST_MS, `${ms(judge)} is more than ${MOST_MS}; ${judged}`);
  return { value, judged };
}

const scroll = (page: Page): Promise<{ count: number; slowestMs: number; rows: number }> =>
  page.evaluate(async () => {
    const frame = (): Promise<number> => new Promise(requestAnimationFrame);
    window.scrollTo(0, 0);
    for (let at = 0; at < 10; at += 1) await frame();
    const began = performance.now();
    const times: number[] = [];
    for (let before = await frame(); before - began < 5_000; ) {
      window.scrollBy(0, 400);
      const now = await frame();
      times.push(now - before);
      before = now;
    }
    return { count: times.length, slowestMs: Math.max(...times), rows: Math.round(window.scrollY / 48) };
  });

/** From the key to the rows that are there for it, laid out. */
const filter = async (page: Page, text: string): Promise<number> => {
  const search = page.getByLabel("Search");
  await search.fill("");
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.getByText("10000 of 10000 nodes").waitFor();
  return search.evaluate(
    (input, value) =>
      new Promise<number>((resolve) => {
        const count = document.querySelector("[data-count]");
        if (!(input instanceof HTMLInputElement) || count === null) throw new Error("there is no filter");
        let began = 0;
        new MutationObserver((_, observer) => {
          observer.disconnect();
          void document.body.offsetHeight;
          resolve(performance.now() - began);
        }).observe(count, { attributes: true });
        input.value = value;
        began = performance.now();
        input.dispatchEvent(new InputEvent("input", { bubbles: true }));
      }),
    text,
  );
};

/** Rows in which anything was changed while `provoke` happened, and a second longer. */
async function repainted(page: Page, provoke: () => Promise<string>): Promise<readonly string[]> {
  await page.goto("/nodes?show=offline");
  await page.getByText("10000 of 10000 nodes").waitFor();
  await page.evaluate(() => {
    const rows = new Set<string>();
    Object.assign(window, { rows });
    const body = document.querySelector("tbody.virtual");
    if (body === null) throw new Error("there is no table");
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const element = target instanceof Element ? target : target.parentElement;
        rows.add(element?.closest("[data-node]")?.getAttribute("data-node") ?? "the table itself");
      }
    }).observe(body, { subtree: true, childList: true, attributes: true, characterData: true });
  });
  const id = await provoke();
  await page.waitForTimeout(1_000);
  const rows = await page.evaluate(() => [...(window as unknown as { rows: Set<string> }).rows]);
  assert.ok(rows.includes(id), "the row did not change");
  return rows;
}

/** Until there is an alert for each of them. */
async function untilAllAreMissed(stage: Stage): Promise<void> {
  const headers = { authorization: `Bearer ${await stage.adminToken()}` };
  const metric = `baton_alerts_open{kind="node_offline"} ${MANY}\n`;
  const until = performance.now() + 120_000;
  for (let text = ""; !text.includes(metric); await sleep(250)) {
    assert.ok(performance.now() < until, "not all nodes are missed");
    text = await (await fetch(`${stage.fleet.url}/metrics`, { headers })).text();
  }
}

/** As if they had been here for long, and were all away. */
async function storeMany(file: string): Promise<void> {
  const opened = await openSqliteStore(file);
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  await store.apply(GROUPS.map((name) => ({ kind: "group", value: group(name), expected: 0 }) as const));
  for (let from = 0; from < MANY; from += 500) await store.apply(nodesAway(from, 500, GROUPS.length));
  await store.close();
}

const GROUPS = Array.from({ length: 20 }, (_, at) => `group-${at}`);

const group = (name: string): GroupRecord => ({
  name,
  mode: "independent",
  spare: null,
  wanted: null,
  windows: null,
  freeze: null,
  channel: null,
  followsSince: null,
  createdAt: 0,
});
